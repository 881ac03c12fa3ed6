import { afterEach, describe, expect, test, vi } from "vitest";
import type { HostName } from "../../src/base/name.ts";
import { instant } from "../../src/base/time.ts";
import type { MembersLane } from "../../src/drivers/members-lane.ts";
import { opnsenseLaneWith } from "../../src/drivers/opnsense/lane.ts";
import { pfsenseLaneWith } from "../../src/drivers/pfsense/lane.ts";
import { address } from "../../src/net/address.ts";
import { prefix } from "../../src/net/prefix.ts";
import type { OpenService } from "../../src/openings/opening.ts";
import type { ApiWay } from "../../src/runtime/way.ts";
import { reloadFilter } from "../fakes/opnsense/kernel.ts";
import { textOf } from "../fakes/pfsense/config.ts";
import { configureFilter } from "../fakes/pfsense/kernel.ts";
import { onPf } from "./lane-pf.ts";
import { pfState } from "./pf-states.ts";
import { startOpnSense } from "./target-opnsense.ts";
import { startArticle } from "./target-pfsense.ts";

// Tables that nobody uses any more, and the room that they take.

const web = address("2001:db8:10ff:1:21::2");
const limits = { tables: 3, idle: 3_600_000 };

type Rig = {
  way(): ApiWay;
  /** Aliases of the lane in the configuration, and how many of its rules. */
  there(): { readonly aliases: readonly string[]; readonly rules: number };
  /** A rule of somebody else that lets in to an alias. */
  name(alias: string): void;
  stop(): Promise<void>;
};

async function pfSenseRig(): Promise<Rig> {
  const fake = await startArticle();
  const { device } = fake;
  return {
    way: () => fake.way(),
    there: () => ({
      aliases: device.config.aliases.alias
        .map((each) => textOf(each, "name") ?? "")
        .filter((name) => /^sg[lts]_/.test(name)),
      rules: device.config.filter.rule.filter((each) => /^sixgate: pass \S+ sg[lt]_/.test(textOf(each, "descr") ?? ""))
        .length,
    }),
    name(alias) {
      const rule = { type: "pass", interface: "wan", source: { any: "" }, destination: { address: alias } };
      device.config.filter.rule.push({ ...rule, ipprotocol: "inet6", tracker: "77", descr: "somebody's" });
      configureFilter(device.kernel, device.config);
    },
    stop: () => fake.stop(),
  };
}

async function opnSenseRig(): Promise<Rig> {
  const fake = await startOpnSense();
  const { device } = fake;
  return {
    way: () => fake.way(),
    there: () => ({
      aliases: device.config.lists.alias
        .map(({ fields }) => fields["name"] ?? "")
        .filter((name) => /^sg[lts]_/.test(name)),
      rules: device.config.lists.rule.filter(({ fields }) => / sg[lt]_/.test(fields["description"] ?? "")).length,
    }),
    name(alias) {
      const fields = {
        enabled: "1",
        action: "pass",
        interface: "wan",
        destination_net: alias,
        description: "somebody's",
      };
      device.config.lists.rule.push({ uuid: "00000000-0000-4000-8000-000000000077", fields });
      reloadFilter(device.kernel, device.config);
    },
    stop: () => fake.stop(),
  };
}

function tcp(port: number, from = "::/0"): OpenService {
  return { service: { kind: "ports", transport: "tcp", ports: { first: port, last: port } }, from: [prefix(from)] };
}

/** What is open at the one address, from one change to the next. */
function steps(lane: MembersLane): (...after: readonly OpenService[]) => Promise<void> {
  let before: readonly OpenService[] = [];
  return async (...after) => {
    await lane.change([{ host: "vm1" as HostName, to: web, before, after }], instant(Date.now()));
    before = lane.normalize(after);
  };
}

const rigs: Rig[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const rig of rigs.splice(0)) await rig.stop();
});

for (const [product, start, kind] of [
  ["pfsense", pfSenseRig, pfsenseLaneWith(limits)],
  ["opnsense", opnSenseRig, opnsenseLaneWith(limits)],
] as const) {
  describe(`lane ${product}`, () => {
    async function opened(): Promise<{ readonly rig: Rig; readonly lane: MembersLane }> {
      const rig = await start();
      rigs.push(rig);
      return { rig, lane: await kind.open(rig.way(), onPf(pfState({ kind: product }), product)) };
    }

    test("a new service takes the room of one that nobody has open any more, and of no other", async () => {
      const { rig, lane } = await opened();
      const go = steps(lane);
      await go(tcp(1, "2001:db8:77::/48"), tcp(2), tcp(3));
      const full = rig.there();
      await expect(go(tcp(1, "2001:db8:77::/48"), tcp(2), tcp(3), tcp(4))).rejects.toThrow("E593");
      expect(rig.there()).toEqual(full);

      await go(tcp(2), tcp(3));
      await lane.read();
      await go(tcp(2), tcp(3), tcp(4));
      const { aliases, rules } = rig.there();
      expect(aliases.filter((name) => !/^sgs_none$/.test(name)).sort()).toEqual([
        "sgl_tcp_2",
        "sgl_tcp_3",
        "sgl_tcp_4",
      ]);
      expect(rules).toBe(full.rules);
      expect((await lane.readAt(web)).length).toBe(3);
    }, 60_000);

    test("one that nobody used for long goes with the next new service, and one of yesterday stays", async () => {
      const { rig, lane } = await opened();
      const go = steps(lane);
      await go(tcp(1));
      await go();
      await lane.read();
      await go(tcp(2));
      expect(rig.there().aliases).toContain("sgl_tcp_1");
      const now = performance.now();
      vi.spyOn(performance, "now").mockImplementation(() => now + limits.idle + 60_000);
      await go(tcp(2), tcp(3));
      expect(rig.there().aliases.filter((name) => name !== "sgs_none")).toEqual(["sgl_tcp_2", "sgl_tcp_3"]);
      expect((await lane.readAt(web)).length).toBe(2);
    }, 60_000);

    test("an alias that somebody else's rule names stays, and the new service is refused", async () => {
      const { rig, lane } = await opened();
      const go = steps(lane);
      await go(tcp(1), tcp(2), tcp(3));
      await go(tcp(2), tcp(3));
      await lane.read();
      rig.name("sgl_tcp_1");
      await expect(go(tcp(2), tcp(3), tcp(4))).rejects.toThrow("E593");
      expect(rig.there().aliases).toContain("sgl_tcp_1");
      expect((await lane.readAt(web)).length).toBe(2);
    }, 60_000);
  });
}
