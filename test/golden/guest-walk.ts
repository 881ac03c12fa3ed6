import { expect, test } from "vitest";
import { keyOf } from "../../src/change/change-set.ts";
import type { GuestDesired } from "../../src/desired/desired.ts";
import type { DriverKind } from "../../src/drivers/driver.ts";
import { address } from "../../src/net/address.ts";
import { interfaceAddress } from "../../src/net/interface-address.ts";
import { prefix } from "../../src/net/prefix.ts";
import { applyPlan, type Machine, planFor, reach } from "../machine.ts";

const foreign = `ip link add docker0 type bridge && ip addr add 172.17.0.1/16 dev docker0 && ip link set docker0 up
ip -6 route add 2001:db8:ffff::/64 via fe80::77 dev eth1
ip route add 198.51.100.0/24 via 10.10.10.1 dev eth0
ip -6 addr add 2001:db8:99::1/64 dev docker0 nodad`;

/**
 * What every tool for a machine's network has to do with a real machine. `machine` gives one on which the tool runs,
 * with the links of the case `host`; `reason` says why it can't be had.
 */
export function walkGuest(
  kind: DriverKind<GuestDesired>,
  tool: string,
  host: GuestDesired,
  reason: string | undefined,
  machine: () => Promise<Machine>,
): void {
  const renumbered: GuestDesired = {
    ...host,
    links: host.links.map((link) =>
      link.name === "eth1" ? { ...link, addresses: [interfaceAddress(address("2001:db8:1:2:30::2"), 80)] } : link,
    ),
    routes: host.routes.map((route) => {
      if (route.kind === "unreachable") return { ...route, to: prefix("2001:db8:1:2:30::/76") };
      return route.kind === "unicast" ? { ...route, via: address("2001:db8:1:2:30::1") } : route;
    }),
  };

  test.skipIf(reason !== undefined)(
    `${tool} driver reaches the plan and keeps what is not its own`,
    async () => {
      const at = await machine();
      try {
        await reach(kind, at.shell, host);
        expect((await at.sh(foreign)).stderr).toBe("");
        expect((await planFor(kind, at.shell, host)).changes).toEqual([]);
        await at.sh(
          "ip addr del 2001:db8:1:2:20::2/80 dev eth1; ip -6 route del unreachable 2001:db8:1:2:20::/76; sysctl -qw net.ipv6.conf.all.forwarding=0",
        );
        const keys = (await planFor(kind, at.shell, host)).changes.map(keyOf);
        expect(keys).toEqual(
          expect.arrayContaining([
            "address eth1 2001:db8:1:2:20::2/80",
            "route 2001:db8:1:2:20::/76",
            "sysctl net.ipv6.conf.all.forwarding",
          ]),
        );
        await reach(kind, at.shell, host);
        await reach(kind, at.shell, renumbered);
        const { stdout } = await at.sh("ip -6 route; ip route; ip -6 addr show dev docker0; ip addr show dev eth1");
        expect(stdout).toContain("2001:db8:ffff::/64 via fe80::77 dev eth1");
        expect(stdout).toContain("198.51.100.0/24 via 10.10.10.1 dev eth0");
        expect(stdout).toContain("172.17.0.0/16 dev docker0");
        expect(stdout).toContain("2001:db8:99::1/64");
        expect(stdout).not.toContain("2001:db8:1:2:20:");
      } finally {
        await at.stop();
      }
    },
    120_000,
  );

  test.skipIf(reason !== undefined)(
    `${tool} driver goes back unless confirmed`,
    async () => {
      const at = await machine();
      try {
        await reach(kind, at.shell, host);
        await applyPlan(kind, at.shell, renumbered, 6); // and nobody confirms
        expect((await planFor(kind, at.shell, renumbered)).changes).toEqual([]);
        await expect
          .poll(async () => (await planFor(kind, at.shell, host)).changes, { timeout: 25_000, interval: 500 })
          .toEqual([]);
        await (await applyPlan(kind, at.shell, renumbered)).rollback();
        await expect
          .poll(async () => (await planFor(kind, at.shell, host)).changes, { timeout: 15_000, interval: 500 })
          .toEqual([]);
        const stale = await planFor(kind, at.shell, renumbered);
        await reach(kind, at.shell, renumbered);
        await expect(kind.at(at.shell, renumbered).apply(stale, 60 as never)).rejects.toThrow("E510");
      } finally {
        await at.stop();
      }
    },
    120_000,
  );

  test.skipIf(reason !== undefined)(
    `${tool} driver shows a second default route and a duplicate address`,
    async () => {
      const at = await machine();
      try {
        await reach(kind, at.shell, host);
        await at.sh("ip -6 route add default via fe80::99 dev eth0 proto ra metric 512");
        const [change] = (await planFor(kind, at.shell, host)).changes;
        expect(change).toMatchObject({
          kind: "update",
          before: {
            key: "route ::/0",
            value: expect.stringContaining("fe80::99 dev eth0 from a router advertisement"),
          },
        });
        await reach(kind, at.shell, host);
        await at.sh("ip addr del 2001:db8:1:2:20::2/80 dev eth1; ip addr add 2001:db8:1:2:20::2/80 dev x-eth1 nodad");
        await expect(applyPlan(kind, at.shell, host)).rejects.toThrow(
          /E512 Another machine on the link has it: address eth1/,
        );
      } finally {
        await at.stop();
      }
    },
    120_000,
  );
}
