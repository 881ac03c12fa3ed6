import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { HostName } from "../../src/base/name.ts";
import { type Instant, instant } from "../../src/base/time.ts";
import type { AddressChange, Held, MembersLane } from "../../src/drivers/members-lane.ts";
import { address } from "../../src/net/address.ts";
import { prefix } from "../../src/net/prefix.ts";
import type { OpenService, Service } from "../../src/openings/opening.ts";
import type { FlowText, LaneBench, LaneTarget } from "./lane-bench.ts";
import { layerOf } from "./states.ts";
import { notRun } from "./suite.ts";

const [vm1, vm2] = ["vm1", "vm2"] as unknown as readonly [HostName, HostName];
const web = address("2001:db8:1234:321d:21::2");
const second = address("2001:db8:1234:321d:21::3");
const other = address("2001:db8:1234:321d:31::2");
/** Open in the fleet file itself, at the address of `second`. */
const fleetFile = "[{ to: '2001:db8:1234:321d:21::3', ports: [25], from: any }]";
const policy = "{ allow: [{ ports: [1-65535, 1-65535/udp, ping], from: any }] }";

const now = (): Instant => instant(Date.now());

function open(service: Service, from: readonly string[] = ["::/0"], ends?: Instant): OpenService {
  return { service, from: from.map(prefix), ...(ends === undefined ? {} : { ends }) };
}

function tcp(first: number, last = first, ...from: readonly string[]): OpenService {
  const service = { kind: "ports", transport: "tcp", ports: { first, last } } as const;
  return open(service, from.length === 0 ? undefined : from);
}

function udp(port: number): OpenService {
  return open({ kind: "ports", transport: "udp", ports: { first: port, last: port } });
}

const ping = open({ kind: "ping" });
const pingFromSome = open({ kind: "ping" }, ["2001:db8:ff::/48", "2001:db8:fe::1/128"]);

/** Each goes from the one before. */
const states: readonly (readonly OpenService[])[] = [
  [tcp(443)],
  [tcp(443), udp(443), ping],
  [tcp(80), tcp(8000, 8099), pingFromSome],
  [tcp(8050, 8199), tcp(8100, 8300, "2001:db8:ff::/48"), tcp(22, 22, "2001:db8:ff::/48")],
  [tcp(8050, 8199, "2001:db8::/32", "3fff::/20"), tcp(8150, 8160), ping, pingFromSome],
  [tcp(1, 65_535, "2001:db8:ff::/48"), tcp(443), tcp(443, 443, "2001:db8:ff::/48")],
  [],
];

/** What every lane has to do, told as one story on one gateway. */
export async function judgeLane(target: LaneTarget): Promise<void> {
  const reason = await target.missing();
  if (reason !== undefined) {
    notRun(`lane ${target.name}`, "the suite", reason);
    return;
  }
  // A lane that starts programs on a device takes its time on a busy machine.
  describe(`lane ${target.name}`, { timeout: 180_000 }, () => story(target));
}

function story(target: LaneTarget): void {
  let bench: LaneBench;
  let lane: MembersLane;
  const desired = layerOf("gateway", "fw", { openings: fleetFile, policy });
  beforeAll(async () => {
    bench = await target.open(desired);
    lane = await bench.lane();
  }, 60_000);
  // A test that failed leaves open what it opened: the next one is judged by itself.
  beforeEach(async () => {
    const left = (await lane.read()).map(({ host, to, services }) => ({ host, to, before: services, after: [] }));
    if (left.length > 0) await lane.change(left, now());
  }, 60_000);
  afterAll(async () => {
    await lane?.end();
    await bench?.close();
  });

  async function held(): Promise<readonly Held[]> {
    return (await lane.read()).toSorted((a, b) => (a.to < b.to ? -1 : 1));
  }
  /** As `read` has it, without addresses at which nothing is open. */
  function expected(...all: readonly Held[]): readonly Held[] {
    const normal = all.map((each) => ({ ...each, services: lane.normalize(each.services) }));
    return normal.filter((each) => each.services.length > 0).sort((a, b) => (a.to < b.to ? -1 : 1));
  }
  function change(to: typeof web, before: readonly OpenService[], after: readonly OpenService[]): AddressChange {
    return { host: to === other ? vm2 : vm1, to, before: lane.normalize(before), after };
  }
  async function settle(...changes: readonly AddressChange[]): Promise<void> {
    await lane.change(changes, now());
  }
  /** How long it takes here to open, look, and close: ends have to lie behind that, however busy the machine is. */
  async function pace(): Promise<number> {
    const began = Date.now();
    await settle(change(web, [], [tcp(443)]));
    await held();
    await settle(change(web, [tcp(443)], []));
    return Date.now() - began;
  }
  async function flowsInTime(wanted: readonly FlowText[]): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      if (JSON.stringify(await bench.flows()) === JSON.stringify(wanted)) return;
      await pause(50);
    }
    expect(await bench.flows()).toEqual(wanted);
  }

  test("holds nothing at first, though the fleet file opens something", async () => {
    expect(await held()).toEqual([]);
  });

  test("normalizes to a form that stays", () => {
    for (const state of states) expect(lane.normalize(lane.normalize(state))).toEqual(lane.normalize(state));
  });

  test("goes from state to state, each read back as it was asked for, each change harmless when repeated", async () => {
    let before: readonly OpenService[] = [];
    for (const after of states) {
      for (let times = 0; times < 2; times++) {
        await settle(change(web, before, after));
        expect(await held()).toEqual(expected({ host: vm1, to: web, services: after }));
      }
      before = after;
    }
  });

  test("changes several addresses of several hosts in one go", async () => {
    await settle(
      change(web, [], [tcp(443)]),
      change(second, [], [tcp(8000, 8099), ping]),
      change(other, [], [udp(53)]),
    );
    expect(await held()).toEqual(
      expected(
        { host: vm1, to: web, services: [tcp(443)] },
        { host: vm1, to: second, services: [tcp(8000, 8099), ping] },
        { host: vm2, to: other, services: [udp(53)] },
      ),
    );
    await settle(change(web, [tcp(443)], []), change(second, [tcp(8000, 8099), ping], []));
    await settle(change(other, [udp(53)], []));
    expect(await held()).toEqual([]);
  });

  test("refuses an address outside the host's block with E422, and does nothing of what came with it", async () => {
    const stolen: AddressChange = { host: vm1, to: other, before: [], after: [tcp(443)] };
    await expect(lane.change([change(web, [], [tcp(443)]), stolen], now())).rejects.toMatchObject({
      diagnostic: { code: "E422" },
    });
    expect(await held()).toEqual([]);
  });

  test("keeps ends, lets them be moved, and closes by itself when they come", async () => {
    const ahead = 3000 + 10 * (await pace());
    const [soon, late] = [instant(Date.now() + ahead), instant(Date.now() + 10 * ahead + 60_000)];
    const timed = (ends: Instant): readonly OpenService[] => [
      { ...tcp(443), ends },
      { ...tcp(8000, 8099), ends },
      { ...ping, ends },
    ];
    await settle(change(web, [], timed(soon)), change(second, [], [{ ...tcp(444), ends: soon }, tcp(445)]));
    expect(await held()).toEqual(
      expected(
        { host: vm1, to: web, services: timed(soon) },
        { host: vm1, to: second, services: [{ ...tcp(444), ends: soon }, tcp(445)] },
      ),
    );
    await settle(change(web, timed(soon), timed(late)));
    expect((await held())[0]).toEqual({ host: vm1, to: web, services: lane.normalize(timed(late)) });
    await pause(Math.max(0, soon - Date.now()) + 1000);
    expect(await held()).toEqual(
      expected({ host: vm1, to: web, services: timed(late) }, { host: vm1, to: second, services: [tcp(445)] }),
    );
    // What ended by itself is closed once more by whoever asked for it, and that is no error.
    await settle(change(second, [{ ...tcp(444), ends: soon }, tcp(445)], []), change(web, timed(late), [tcp(443)]));
    expect(await held()).toEqual(expected({ host: vm1, to: web, services: [tcp(443)] }));
    await settle(change(web, [tcp(443)], []));
  });

  test("opens nothing that has ended", async () => {
    const past = instant(Date.now() - 1);
    await settle(
      change(
        web,
        [],
        [
          { ...tcp(443), ends: past },
          { ...tcp(8000, 8099), ends: past },
        ],
      ),
    );
    expect(await held()).toEqual([]);
  });

  test("cuts the live flows of what closes, and no others", async () => {
    const services = [tcp(443), udp(443), tcp(8000, 8099), tcp(22, 22, "2001:db8:ff::/48", "2001:db8:fe::/48")];
    await settle(change(web, [], services), change(second, [], [tcp(443)]));
    const flows: readonly FlowText[] = [
      `2001:db8:77::1 > ${web} tcp 443`,
      `2001:db8:77::1 > ${web} udp 443`,
      `2001:db8:77::1 > ${web} tcp 8050`,
      `2001:db8:ff::1 > ${web} tcp 22`,
      `2001:db8:fe::1 > ${web} tcp 22`,
      `2001:db8:77::1 > ${second} tcp 443`,
      `2001:db8:77::1 > ${second} tcp 25`,
    ];
    await bench.begin(flows);
    const after = [tcp(443), tcp(8000, 8049), tcp(22, 22, "2001:db8:ff::/48")];
    await settle(change(web, services, after));
    const left = [flows[0], flows[3], flows[5], flows[6]].flatMap((each) => each ?? []).sort();
    await flowsInTime(left);
    await settle(change(web, after, []), change(second, [tcp(443)], []));
    await flowsInTime([flows[6]].flatMap((each) => each ?? []));
  });

  test("lets no new owner of an address inherit a flow, though the same port is open again", async () => {
    await settle(change(web, [], [tcp(443)]));
    await bench.begin([`2001:db8:78::1 > ${web} tcp 443`]);
    await settle(change(web, [tcp(443)], []), change(web, [], [tcp(443)]));
    expect((await bench.flows()).filter((each) => each.includes(web))).toEqual([]);
    expect(await held()).toEqual(expected({ host: vm1, to: web, services: [tcp(443)] }));
    await bench.begin([`2001:db8:78::1 > ${web} tcp 443`]);
    await settle(change(web, [tcp(443)], []));
    await settle(change(web, [], [tcp(443)]));
    expect((await bench.flows()).filter((each) => each.includes(web))).toEqual([]);
    await settle(change(web, [tcp(443)], []));
  });

  test("holds many, and finds them all again", async () => {
    const block = "2001:db8:1234:321d:22::";
    const many = Array.from({ length: 3000 }, (_, i) => address(`${block}${(i + 2).toString(16)}`));
    await settle(...many.map((to) => change(to, [], [tcp(443), tcp(80)])));
    const found = await lane.read();
    expect(found).toHaveLength(many.length);
    expect(new Set(found.map((each) => JSON.stringify(each.services))).size).toBe(1);
    await settle(...many.map((to) => change(to, [tcp(443), tcp(80)], [])));
    expect(await held()).toEqual([]);
  });

  test("leaves everything as it is when it ends, for the next one to find", async () => {
    await settle(change(web, [], [tcp(443)]));
    await lane.end();
    lane = await bench.lane();
    expect(await held()).toEqual(expected({ host: vm1, to: web, services: [tcp(443)] }));
    await settle(change(web, [tcp(443)], []));
  });

  test("reads one address alone as it reads all of them, and takes nobody else's for it", async () => {
    const services = [tcp(443), udp(53), tcp(8000, 8099), tcp(22, 22, "2001:db8:ff::/48"), ping, pingFromSome];
    await settle(change(web, [], services), change(second, [], [tcp(444)]), change(other, [], [tcp(445)]));
    for (const { to, services: all } of await held()) expect(await lane.readAt(to)).toEqual(all);
    expect(await lane.readAt(web)).toEqual(lane.normalize(services));
    expect(await lane.readAt(address("2001:db8:1234:321d:21::4"))).toEqual([]);
    expect(await lane.readAt(address("2001:db8:ffff::1"))).toEqual([]);
    await settle(change(web, services, []), change(second, [tcp(444)], []), change(other, [tcp(445)], []));
    expect(await lane.readAt(web)).toEqual([]);
  });

  test("rejects a read that failed: unknown is not empty", async () => {
    await bench.blind();
    await expect(lane.read()).rejects.toThrow();
    await expect(lane.readAt(web)).rejects.toThrow();
  });
}
