import type { Certified } from "../certificate.ts";
import { type FakeFirewall, fakeFirewall } from "../firewall.ts";
import { apiOf } from "./api.ts";
import { automatic } from "./automatic.ts";
import { type FakeDevice, type FakeOptions, fakeDevice } from "./device.ts";
import { boot } from "./kernel.ts";
import { runPhp } from "./php.ts";

export type FakeOpnSense = FakeFirewall<FakeDevice, { readonly secret?: string }>;

/** An OPNsense on loopback: its API over HTTP, or HTTPS with a certificate, and root's shell. */
export function fakeOpnSense(options: FakeOptions & { readonly certified?: Certified }): Promise<FakeOpnSense> {
  const device = fakeDevice(options);
  device.kernel.automatic = automatic;
  return fakeFirewall({
    device,
    api: apiOf(device),
    certified: options.certified,
    headers: ({ secret = device.secret }) => ({
      authorization: `Basic ${Buffer.from(`${device.key}:${secret}`).toString("base64")}`,
    }),
    loginShell: "csh",
    programs: ["sysctl"],
    bootHook: "/usr/local/etc/rc.syshook.d/start/95-sixgate",
    php: (verb, path) => runPhp(device, verb, path),
    boot() {
      boot(device.kernel, device.config);
      device.removedVips.clear();
      device.removedRoutes.clear();
    },
  });
}
