import type { GuestDesired } from "../../src/desired/desired.ts";
import type { DriverKind } from "../../src/drivers/driver.ts";
import { ifupdownGuest } from "../../src/drivers/ifupdown/driver.ts";
import { netplan } from "../../src/drivers/netplan/driver.ts";
import { networkd } from "../../src/drivers/networkd/driver.ts";
import { startNetworkd } from "../../src/lab/node-networkd.ts";
import { type Holder, inHolder, must } from "../holder.ts";
import { blindShells, type Target } from "./bench.ts";
import { layIfupdown2, missingIfupdown2 } from "./ifupdown2.ts";
import { foreignOn, plug, plugForeign } from "./links.ts";
import { missingFor } from "./needs.ts";
import { layerOf } from "./states.ts";

type GuestKind = {
  readonly kind: DriverKind<GuestDesired>;
  missing: () => Promise<string | undefined>;
  prepare: (holder: Holder) => Promise<void>;
  /** A file that the tool reads and that is not ours. */
  readonly foreignFile: string;
};

/** The gateway's own network: three links, addresses and routes that come and go with the hosts. */
function guestTarget({ kind, missing, prepare, foreignFile }: GuestKind): Target<GuestDesired> {
  const state = (variant: Parameters<typeof layerOf>[2]): GuestDesired =>
    layerOf("guest", "fw", { ...variant, network: kind.name });
  const states = [state({ hosts: 2 }), state({ hosts: 3, link: 76 }), state({ hosts: 1 })];
  return {
    name: `${kind.name} (guest)`,
    states,
    missing,
    open: () =>
      inHolder(`conformance-${kind.name}`, async (holder) => {
        const { shell } = holder;
        for (const { name, mac } of states[0]?.links ?? []) await plug(shell, name, mac);
        await prepare(holder);
        await plugForeign(shell);
        return {
          kind,
          way: shell,
          foreign: async () => `${await foreignOn(shell)}${await shell.read(foreignFile)}`,
          async meddle() {
            await must(shell, ["ip", "-6", "route", "del", "unreachable", "2001:db8:1234:321d::/64"]);
          },
          blind: (desired) => blindShells(shell).map((each) => kind.at(each, desired)),
          close: () => holder.stop(),
        };
      }),
  };
}

export const networkdTarget: Target<GuestDesired> = guestTarget({
  kind: networkd,
  missing: () => missingFor(["root", "networkctl", "dbus-daemon"]),
  foreignFile: "/etc/systemd/network/80-somebody.network",
  async prepare({ shell }) {
    await shell.write("/etc/systemd/network/80-somebody.network", "[Match]\nName=other\n[Link]\nUnmanaged=yes\n");
    await startNetworkd(shell);
  },
});

export const netplanTarget: Target<GuestDesired> = guestTarget({
  kind: netplan,
  missing: () => missingFor(["root", "networkctl", "dbus-daemon", "netplan"]),
  foreignFile: "/etc/netplan/01-somebody.yaml",
  async prepare({ shell }) {
    await shell.write("/etc/netplan/01-somebody.yaml", "network:\n  version: 2\n  renderer: networkd\n", 0o600);
    await startNetworkd(shell);
  },
});

export const ifupdownGuestTarget: Target<GuestDesired> = guestTarget({
  kind: ifupdownGuest,
  missing: missingIfupdown2,
  foreignFile: "/etc/network/interfaces",
  async prepare(holder) {
    await layIfupdown2(holder);
    const text = "auto lo\niface lo inet loopback\n\nsource /etc/network/interfaces.d/*\n";
    await holder.shell.write("/etc/network/interfaces", text);
  },
});
