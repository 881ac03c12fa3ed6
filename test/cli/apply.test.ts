import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startNetworkd } from "../../src/lab/node-networkd.ts";
import type { Ran } from "../../src/runtime/shell.ts";
import { type Machine, noMachine, startMachine } from "../machine.ts";
import { inFolder, main } from "./run.ts";

const reason = await noMachine(["networkctl", "dbus-daemon", "nft", "conntrack"]);

const links = [
  { name: "up0", mac: "02:00:00:00:00:10" },
  { name: "in0", mac: "02:00:00:00:00:11" },
] as const;

const fleet = `sixgate: 1
fleet: one
prefix: 2001:db8:77::/64
gateway:
  name: gw
  kind: nftables
  reach: local
  uplink: { network: wan, device: up0, mac: "${links[0].mac}" }
  hosts: { network: lan, device: in0, mac: "${links[1].mac}" }
hosts:
  app:
    public: { device: eth0, mac: "02:00:00:00:00:12" }
    docker:
      engine: "28.5"
      networks: { web: {} }
      containers: { www: { network: web, address: "::80" } }
openings:
  - { to: app/www, ports: [443], from: any }
`;

type Bench = {
  readonly at: Machine;
  readonly folder: string;
  readonly call: (...words: readonly string[]) => Promise<Ran>;
};

/** A gateway of its own, in namespaces, on which sixgate runs as on the gateway itself. */
async function onGateway(work: (bench: Bench) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, "fleet.yaml"), fleet);
    const at = await startMachine("gw", links);
    try {
      await startNetworkd(at.shell);
      const call = (...words: readonly string[]): Promise<Ran> =>
        at.shell.run([process.execPath, main, "-C", folder, ...words], { timeout: 120_000 });
      await work({ at, folder, call });
    } finally {
      await at.stop();
    }
  });
}

/** What an apply could have touched, without counters and lifetimes. */
async function stateOf(at: Machine): Promise<string> {
  const live = await at.sh(
    "ip -o addr | sed 's/ *valid_lft.*//; s/ tentative//'; ip -6 route; ip -4 route; nft -s list ruleset; sysctl net.ipv6.conf.all net.netfilter 2>/dev/null | grep -v count",
  );
  const folders = ["/etc/systemd/network", "/etc/sysctl.d", "/etc/sixgate", "/etc/systemd/system"];
  const files = await Promise.all(folders.map((folder) => at.shell.list(folder)));
  return `${live.stdout}${JSON.stringify(files)}`;
}

test.skipIf(reason !== undefined)(
  "apply asks somebody, applies, and the second plan is empty",
  () =>
    onGateway(async ({ at, folder, call }) => {
      const bare = await stateOf(at);
      const planned = await call("plan", "--only", "gw", "--detailed-exitcode");
      expect(planned.stdout).toMatch(
        /gw guest \(networkd\)[\s\S]*gw gateway \(nftables\)[\s\S]*Plan: \d+ to add, \d+ to change, 0 to remove/,
      );
      expect(planned.code).toBe(2);
      expect((await call("diff", "gateway", "--only", "gw")).code).toBe(2);

      const unasked = await call("apply");
      expect(unasked.stderr).toContain(": E806 Nobody to ask");
      expect(unasked.code).toBe(1);
      expect(await stateOf(at)).toBe(bare);
      expect(existsSync(join(folder, "fleet.ledger.json"))).toBe(false);

      const applied = await call("apply", "--yes");
      expect(applied.stderr).toMatch(/✓ gw +guest[\s\S]*✓ gw +gateway/);
      expect(applied.code).toBe(0);
      expect(existsSync(join(folder, "fleet.ledger.json"))).toBe(true);
      expect((await at.sh("nft list set inet sixgate static_open")).stdout).toContain(
        "2001:db8:77:0:22::80 . tcp . 443",
      );
      expect((await at.sh("ip -6 route get 2001:db8:77:0:22::80")).stdout).toContain("via 2001:db8:77:0:20::2 dev in0");

      const settled = await stateOf(at);
      expect((await call("diff")).code).toBe(0);
      const again = await call("apply", "--yes", "--json");
      expect(JSON.parse(again.stdout)).toEqual({ format: "sixgate.apply/1", applied: [], changes: 0 });
      expect(await stateOf(at)).toBe(settled);
      // The undo was disarmed: no waiting process, no script.
      expect(await at.shell.list("/run/sixgate/undo")).toEqual([]);
    }),
  120_000,
);

test.skipIf(reason !== undefined)(
  "apply refuses a stored plan when the device moved, and takes it when it did not",
  () =>
    onGateway(async ({ at, folder, call }) => {
      await call("apply", "--yes");
      writeFileSync(join(folder, "fleet.yaml"), fleet.replace("ports: [443]", "ports: [443, ping]"));
      expect((await call("plan", "-o", "plan.json")).code).toBe(0);
      await at.sh("nft add rule inet sixgate forward counter accept");
      const before = await stateOf(at);
      const refused = await call("apply", "plan.json", "--yes");
      expect(refused.stderr).toContain("plan.json: E510 ");
      expect(refused.code).toBe(1);
      expect(await stateOf(at)).toBe(before);

      const drift = await call("diff");
      expect(drift.stdout).toContain("~ chain forward");
      expect(drift.code).toBe(2);
      expect((await call("plan", "-o", "plan.json")).code).toBe(0);
      expect((await call("apply", "plan.json", "--yes")).code).toBe(0);
      expect((await at.sh("nft list set inet sixgate static_live")).stdout).toContain("2001:db8:77:0:22::80");
      expect((await call("diff")).code).toBe(0);
    }),
  120_000,
);

test.skipIf(reason !== undefined)(
  "apply refuses with exit 4 to take the address that we came in by",
  () =>
    onGateway(async ({ at, folder, call }) => {
      await call("apply", "--yes");
      const before = await stateOf(at);
      writeFileSync(join(folder, "fleet.yaml"), fleet.replace("2001:db8:77::/64", "2001:db8:78::/64"));
      const ran = await at.shell.run(
        [
          "env",
          "SSH_CONNECTION=2001:db8:ffff::2 50000 2001:db8:77:0:10::1 22",
          process.execPath,
          main,
          "-C",
          folder,
          "apply",
          "--yes",
          "--json",
        ],
        { timeout: 120_000 },
      );
      expect(ran.code).toBe(4);
      const { errors } = JSON.parse(ran.stdout) as { errors: { code: string }[] };
      expect(errors.map(({ code }) => code)).toContain("E601");
      expect(await stateOf(at)).toBe(before);
    }),
  120_000,
);
