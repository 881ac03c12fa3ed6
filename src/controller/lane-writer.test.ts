import { expect, test } from "vitest";
import { FakeGateway } from "../../test/fake-gateway.ts";
import { type ManualClock, manualClock, settled } from "../../test/manual-clock.ts";
import type { HostName } from "../base/name.ts";
import { instant } from "../base/time.ts";
import { type Address, address } from "../net/address.ts";
import { prefix } from "../net/prefix.ts";
import type { OpenService } from "../openings/opening.ts";
import type { Applied, LaneWriterOptions, State } from "./lane-state.ts";
import { LaneWriter } from "./lane-writer.ts";

const vm1 = "vm1" as HostName;
const vm2 = "vm2" as HostName;

function at(n: number): Address {
  return address(`2001:db8::${(n + 1).toString(16)}`);
}

function tcp(port: number, ends?: number): OpenService {
  const service = { kind: "ports", transport: "tcp", ports: { first: port, last: port } } as const;
  return { service, from: [prefix("::/0")], ...(ends === undefined ? {} : { ends: instant(ends) }) };
}

type Bench = {
  readonly clock: ManualClock;
  readonly gateway: FakeGateway;
  readonly writer: LaneWriter;
  readonly wants: Map<Address, { owner?: string; services: readonly OpenService[] }>;
  readonly applied: Applied[];
  readonly said: string[];
  readonly looks: number[];
  readonly want: (to: Address, services: readonly OpenService[], owner?: string) => void;
};

function bench(over: Partial<LaneWriterOptions> = {}): Bench {
  const clock = manualClock();
  const gateway = new FakeGateway(clock);
  const wants: Bench["wants"] = new Map();
  const applied: Applied[] = [];
  const said: string[] = [];
  const looks: number[] = [];
  const writer = new LaneWriter({
    lane: gateway.lane(),
    clock,
    wanted: (host, to): State => ({
      host,
      owner: wants.get(to)?.owner,
      services: wants.get(to)?.services ?? [],
      grants: [],
    }),
    isWriter: () => true,
    mayOpen: () => true,
    prepare: async () => undefined,
    applied: (each) => void applied.push(each),
    reached: (failure) => void said.push(failure === undefined ? "reached" : `failing ${failure.diagnostic.code}`),
    drifted: (to) => void said.push(`drift ${to}`),
    looked: (differences) => void looks.push(differences),
    refused: (to) => void said.push(`refused ${to}`),
    ...over,
  });
  return {
    clock,
    gateway,
    writer,
    wants,
    applied,
    said,
    looks,
    want(to, services, owner) {
      wants.set(to, { services, ...(owner === undefined ? {} : { owner }) });
      writer.mark({ host: vm1, to });
    },
  };
}

test("LaneWriter opens and closes, and tells what was in force", async () => {
  const { writer, gateway, want, applied } = bench();
  await writer.start();
  want(at(1), [tcp(80), tcp(443)]);
  await writer.settled();
  expect(gateway.open()).toEqual([`${at(1)} 443/tcp from ::/0`, `${at(1)} 80/tcp from ::/0`]);
  want(at(1), [tcp(443)]);
  await writer.settled();
  expect(gateway.open()).toEqual([`${at(1)} 443/tcp from ::/0`]);
  expect(gateway.cut).toEqual([`${at(1)} 80/tcp from ::/0`]);
  want(at(1), []);
  await writer.settled();
  expect(gateway.open()).toEqual([]);
  expect(writer.inForce(at(1))).toBeUndefined();
  expect(applied.map(({ before, after }) => [before?.services.length ?? 0, after.services.length])).toEqual([
    [0, 2],
    [2, 1],
    [1, 0],
  ]);
});

test("LaneWriter sends the first change at once, what comes meanwhile together, and never more than 1,000 elements", async () => {
  const { writer, gateway, want } = bench();
  await writer.start();
  let free: () => void = () => undefined;
  gateway.busy = new Promise((resolve) => {
    free = resolve;
  });
  want(at(0), [tcp(80)]);
  await settled();
  expect(gateway.transactions).toBe(1);
  for (let n = 1; n <= 2500; n++) want(at(n), [tcp(80)]);
  await settled();
  expect(gateway.transactions).toBe(1);
  free();
  await writer.settled();
  expect(gateway.transactions).toBe(4);
  expect(gateway.open()).toHaveLength(2501);
});

test("LaneWriter lets no host wait for another that changes much", async () => {
  const { writer, gateway, wants } = bench();
  await writer.start();
  for (let n = 0; n < 5000; n++) {
    wants.set(at(n), { services: [tcp(80)] });
    writer.mark({ host: vm1, to: at(n) });
  }
  const last = address("2001:db8:1::1");
  wants.set(last, { services: [tcp(80)] });
  writer.mark({ host: vm2, to: last });
  await writer.settled();
  expect(gateway.log.findIndex(({ to }) => to === last)).toBeLessThan(3);
});

test("LaneWriter closes all of an address before another owner gets it, in one transaction", async () => {
  const { writer, gateway, want } = bench();
  await writer.start();
  want(at(1), [tcp(80)], "a net");
  await writer.settled();
  want(at(1), [tcp(80)], "b net");
  await writer.settled();
  expect(gateway.transactions).toBe(2);
  expect(gateway.log.slice(1)).toEqual([
    { host: vm1, to: at(1), before: [tcp(80)], after: [] },
    { host: vm1, to: at(1), before: [], after: [tcp(80)] },
  ]);
  expect(gateway.cut).toEqual([`${at(1)} 80/tcp from ::/0`]);
  expect(gateway.open()).toEqual([`${at(1)} 80/tcp from ::/0`]);
});

test.each(["before", "after"] as const)(
  "LaneWriter reads the gateway before it writes again when a change fails %s it was taken",
  async (fault) => {
    const { writer, gateway, want, clock, said } = bench();
    await writer.start();
    want(at(1), [tcp(80)], "a net");
    await writer.settled();
    gateway.faults.push(fault);
    want(at(1), [tcp(443)], "b net");
    await writer.settled();
    expect(writer.failing()?.diagnostic.code).toBe("E503");
    const reads = gateway.reads;
    await clock.pass(200);
    await writer.settled();
    expect(gateway.reads).toBe(reads + 1);
    expect(gateway.open()).toEqual([`${at(1)} 443/tcp from ::/0`]);
    expect(writer.inForce(at(1))?.owner).toBe("b net");
    expect(said).toEqual(["failing E503", "reached"]);
  },
);

test("LaneWriter keeps what is wanted while the gateway is away, and waits longer each time", async () => {
  const { writer, gateway, want, clock, said } = bench();
  await writer.start();
  gateway.faults.push("before", ...Array.from({ length: 20 }, () => "read" as const));
  want(at(1), [tcp(80)]);
  await writer.settled();
  await clock.pass(60_000);
  await writer.settled();
  expect(gateway.reads).toBeLessThan(14);
  want(at(1), [tcp(81)]);
  want(at(2), [tcp(82)]);
  await writer.settled();
  expect(gateway.open()).toEqual([]);
  gateway.faults.length = 0;
  await clock.pass(31_000);
  await writer.settled();
  expect(gateway.open()).toEqual([`${at(1)} 81/tcp from ::/0`, `${at(2)} 82/tcp from ::/0`]);
  expect(said).toEqual(["failing E503", "reached"]);
});

test("LaneWriter goes on without an address that the gateway refuses, and says so", async () => {
  const { writer, gateway, want, clock, said } = bench();
  await writer.start();
  gateway.poison.add(at(300));
  for (let n = 0; n < 600; n++) want(at(n), [tcp(80)]);
  await writer.settled();
  for (let n = 0; n < 50; n++) {
    await clock.pass(200);
    await writer.settled();
  }
  expect(gateway.open()).toHaveLength(599);
  expect(said).toContain(`refused ${at(300)}`);
  gateway.poison.clear();
  await clock.pass(11_000);
  await writer.settled();
  expect(gateway.open()).toHaveLength(600);
});

test("LaneWriter only closes while nothing new may be opened, and opens afterwards", async () => {
  let mayOpen = true;
  const { writer, gateway, want, clock } = bench({ mayOpen: () => mayOpen });
  await writer.start();
  want(at(1), [tcp(80), tcp(81)]);
  await writer.settled();
  mayOpen = false;
  want(at(1), [tcp(81), tcp(82)]);
  want(at(2), [tcp(83)]);
  await writer.settled();
  expect(gateway.open()).toEqual([`${at(1)} 81/tcp from ::/0`]);
  await clock.pass(5000);
  await writer.settled();
  expect(gateway.open()).toEqual([`${at(1)} 81/tcp from ::/0`]);
  mayOpen = true;
  await clock.pass(1000);
  await writer.settled();
  expect(gateway.open()).toHaveLength(3);
});

test("LaneWriter opens nothing whose preparation fails, and closes all the same", async () => {
  let fails = true;
  const { writer, gateway, want, clock } = bench({
    prepare: () => (fails ? Promise.reject(new Error("disk full")) : Promise.resolve()),
  });
  gateway.foreignAdd(vm1, at(9), tcp(22));
  await writer.start();
  want(at(1), [tcp(80)]);
  want(at(9), []);
  await writer.settled();
  expect(gateway.open()).toEqual([]);
  fails = false;
  await clock.pass(1100);
  await writer.settled();
  expect(gateway.open()).toEqual([`${at(1)} 80/tcp from ::/0`]);
});

test("LaneWriter puts right what somebody else changed, and says it", async () => {
  const { writer, gateway, want, clock, said, looks } = bench();
  await writer.start();
  want(at(1), [tcp(80)]);
  want(at(2), [tcp(80)]);
  await writer.settled();
  gateway.foreignFlush();
  gateway.foreignAdd(vm1, at(2), tcp(80));
  gateway.foreignAdd(vm1, at(2), tcp(22));
  gateway.foreignAdd(vm2, at(3), tcp(23));
  await clock.pass(61_000);
  await writer.settled();
  expect(gateway.open()).toEqual([`${at(1)} 80/tcp from ::/0`, `${at(2)} 80/tcp from ::/0`]);
  expect(said.toSorted()).toEqual([`drift ${at(1)}`, `drift ${at(2)}`, `drift ${at(3)}`]);
  await clock.pass(120_000);
  await writer.settled();
  expect(said).toHaveLength(3);
  expect(looks.slice(0, 2)).toEqual([3, 0]);
});

test("LaneWriter does not take its own changes for somebody else's while it looks", async () => {
  const { writer, gateway, want, clock, said } = bench();
  await writer.start();
  want(at(1), [tcp(80)]);
  await writer.settled();
  let free: () => void = () => undefined;
  gateway.busy = new Promise((resolve) => {
    free = resolve;
  });
  await clock.pass(60_000);
  want(at(1), []);
  want(at(2), [tcp(80)]);
  await settled();
  free();
  await writer.settled();
  expect(said).toEqual([]);
  expect(gateway.open()).toEqual([`${at(2)} 80/tcp from ::/0`]);
});

test("LaneWriter takes an end that is about to come for gone or there, and cuts what ends", async () => {
  const { writer, gateway, wants, want, clock, said } = bench();
  await writer.start();
  const ends = clock.now() + 62_000;
  want(at(1), [tcp(80, ends)]);
  await writer.settled();
  await clock.pass(60_500);
  await writer.settled();
  expect(said).toEqual([]);
  await clock.pass(2000);
  expect(gateway.open()).toEqual([]);
  wants.set(at(1), { services: [] });
  writer.mark({ host: vm1, to: at(1) });
  await writer.settled();
  expect(gateway.cut).toEqual([`${at(1)} 80/tcp from ::/0`]);
});

test("LaneWriter writes nothing while another is the writer, nor after its stop", async () => {
  let isWriter = false;
  const { writer, gateway, want } = bench({ isWriter: () => isWriter });
  await writer.start();
  want(at(1), [tcp(80)]);
  await writer.settled();
  expect(gateway.transactions).toBe(0);
  isWriter = true;
  want(at(2), [tcp(80)]);
  await writer.settled();
  expect(gateway.open()).toHaveLength(2);
  await writer.stop();
  want(at(3), [tcp(80)]);
  await writer.settled();
  expect(gateway.open()).toHaveLength(2);
});

test("LaneWriter gives up on a gateway that does not answer, and looks what became of it", async () => {
  const { writer, gateway, want, clock } = bench();
  await writer.start();
  let free: () => void = () => undefined;
  gateway.busy = new Promise((resolve) => {
    free = resolve;
  });
  want(at(1), [tcp(80)]);
  await clock.pass(31_000);
  expect(writer.failing()?.diagnostic.code).toBe("E950");
  free();
  await clock.pass(1000);
  await writer.settled();
  expect(writer.failing()).toBeUndefined();
  expect(gateway.open()).toEqual([`${at(1)} 80/tcp from ::/0`]);
});
