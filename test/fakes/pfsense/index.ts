import type { Certified } from "../certificate.ts";
import { type FakeFirewall, fakeFirewall } from "../firewall.ts";
import { automatic } from "./automatic.ts";
import { type FakeDevice, type FakeOptions, fakeDevice } from "./device.ts";
import { boot } from "./kernel.ts";
import { runPhp } from "./php.ts";
import { restOf } from "./rest.ts";

export type FakePfSense = FakeFirewall<FakeDevice, { readonly key?: string }>;

/** A pfSense on loopback: pfREST over HTTP, or HTTPS with a certificate, and root's shell. */
export function fakePfSense(options: FakeOptions & { readonly certified?: Certified }): Promise<FakePfSense> {
  const device = fakeDevice(options);
  device.kernel.automatic = automatic;
  return fakeFirewall({
    device,
    api: restOf(device),
    certified: options.certified,
    headers: ({ key = device.key }) => ({ "x-api-key": key }),
    bootHook: "/usr/local/etc/rc.d/sixgate.sh",
    php: (verb, path, input) => runPhp(device, verb, path, input),
    boot() {
      boot(device.kernel, device.config);
      device.dirty.clear();
      device.pendingVips.clear();
      device.pendingInterfaces.clear();
    },
  });
}
