import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { more, type PfVariant, pfState, web } from "../../../test/conformance/pf-states.ts";
import { startArticle } from "../../../test/conformance/target-pfsense.ts";
import { textOf } from "../../../test/fakes/pfsense/config.ts";
import { type Fault, foreignOf, leftovers, ruleNames, stateOf } from "../../../test/fakes/pfsense/device.ts";
import { type FakePfSense, fakePfSense } from "../../../test/fakes/pfsense/index.ts";
import { configureFilter } from "../../../test/fakes/pfsense/kernel.ts";
import { seconds } from "../../base/time.ts";
import type { ChangeSet } from "../../change/change-set.ts";
import { diff } from "../../change/diff.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import type { ApiWay } from "../../runtime/way.ts";
import type { Pending } from "../driver.ts";
import { pfsense, pfsenseAt } from "./driver.ts";

const running: FakePfSense[] = [];
afterEach(async () => {
  for (const fake of running.splice(0)) await fake.stop();
});

async function start(second?: number): Promise<FakePfSense> {
  const fake = await startArticle(second);
  running.push(fake);
  return fake;
}

const state = (variant: Omit<PfVariant, "kind"> = {}): GatewayDesired => pfState({ kind: "pfsense", ...variant });

type Try = { readonly pace?: number; readonly within?: number };

async function planned(way: ApiWay, desired: GatewayDesired, pace?: number): Promise<ChangeSet> {
  const { items, revision } = await pfsenseAt(way, desired, pace).observe();
  return {
    device: desired.device,
    layer: "gateway",
    driver: "pfsense",
    base: revision,
    changes: diff(items, pfsense.normalize(desired)),
  };
}

async function applied(way: ApiWay, desired: GatewayDesired, { pace, within = 60 }: Try = {}): Promise<Pending> {
  return pfsenseAt(way, desired, pace).apply(await planned(way, desired, pace), seconds(within));
}

async function reach(fake: FakePfSense, desired: GatewayDesired): Promise<void> {
  await (await applied(fake.way(), desired)).confirm();
  expect((await planned(fake.way(), desired)).changes).toEqual([]);
}

/** Undos that wait or run, and what a boot would run. */
function waitingOn(fake: FakePfSense): readonly string[] {
  return leftovers(fake.device).filter((each) => /\.(sh|running)$/.test(each));
}

const from = state({ openings: web });
let left: Promise<FakePfSense["device"]["config"]> | undefined;

/** One device is brought to `from`; the others are started with what that left, as after a restart, and are there too. */
async function startThere(): Promise<FakePfSense> {
  const fake = await start();
  left ??= start().then(async (first) => {
    await reach(first, from);
    return structuredClone(first.device.config);
  });
  Object.assign(fake.device.config, structuredClone(await left));
  await fake.reboot();
  expect((await planned(fake.way(), from)).changes).toEqual([]);
  return fake;
}

const to = state({ openings: more, hosts: 3, policy: "{ between-hosts: open }" });

test("apply goes through each fault that passes, and the second plan is empty", async () => {
  const passing: readonly (readonly [Fault, number])[] = [
    ["lost-update", 1],
    ["index-shift", 1],
    ["not-loaded", 1],
    ["load-fails", 1],
    ["queue-full", 2],
    ["write-locked", 2],
    ["named-by-descr", Number.POSITIVE_INFINITY],
  ];
  await Promise.all(
    passing.map(async ([fault, times]) => {
      const fake = await startThere();
      const foreign = foreignOf(fake.device);
      fake.device.faults.set(fault, times);
      await (await applied(fake.way(), to)).confirm();
      expect([fault, (await planned(fake.way(), to)).changes]).toEqual([fault, []]);
      if (fault !== "named-by-descr") expect([fault, fake.device.faults.is(fault)]).toEqual([fault, false]);
      // Somebody's alias came in between, and kept what it had.
      if (fault === "index-shift")
        expect(fake.device.config.aliases.alias.find((each) => each["name"] === "somebody")?.["address"]).toBe(
          "2001:db8:f::5",
        );
      else expect(foreignOf(fake.device)).toBe(foreign);
      expect(leftovers(fake.device)).toEqual([]);
    }),
  );
}, 120_000);

test("apply fails with one clear error at each fault that stays, and the device is as it was", async () => {
  const staying: readonly (readonly [Fault, number, RegExp])[] = [
    [
      "not-loaded",
      Number.POSITIVE_INFINITY,
      /E512 The device says that it applied the change, but it is not in force: (rules|tables)/,
    ],
    ["load-fails", Number.POSITIVE_INFINITY, /E512 /],
    ["fatal-read", 1, /E517 GET .* gave 500 and no answer of the REST API: PHP Fatal error/],
    ["fatal-write", 1, /E517 .* gave 500 and no answer/],
    ["answer-lost", 1, /E503 Not reached/],
    ["no-package", Number.POSITIVE_INFINITY, /E560 The device has no REST API/],
    ["no-rights", Number.POSITIVE_INFINITY, /E553 The key may not do/],
    ["php-fails", 1, /E511 pfSense's PHP could not do "snapshot"/],
    ["shell-lost", Number.POSITIVE_INFINITY, /E503 Not reached: connection closed/],
  ];
  await Promise.all(
    staying.map(async ([fault, times, error]) => {
      const fake = await startThere();
      const way = fake.way();
      const set = await planned(way, to);
      const before = stateOf(fake.device);
      fake.device.faults.set(fault, times);
      await expect(pfsenseAt(way, to).apply(set, seconds(60)), fault).rejects.toThrow(error);
      fake.device.faults.clear();
      expect(stateOf(fake.device), fault).toBe(before);
      expect((await planned(way, from)).changes, fault).toEqual([]);
    }),
  );
}, 120_000);

test("a wrong key is E552 at the first question, and nothing was asked of the shell", async () => {
  const fake = await start();
  const before = stateOf(fake.device);
  await expect(pfsenseAt(fake.way({ key: "wrong" }), from).observe()).rejects.toThrow(
    "E552 The device does not know the key",
  );
  expect(stateOf(fake.device)).toBe(before);
});

test("a device that is not reached is E503", async () => {
  const fake = await fakePfSense({ config: "<pfsense><version>24.0</version></pfsense>" });
  const way = fake.way();
  await fake.stop();
  await expect(pfsenseAt(way, from).observe()).rejects.toThrow("E503 Not reached");
});

test("a controller that dies after any step leaves the old or the new state, never what is between", async () => {
  const counting = await startThere();
  const set = await planned(counting.way(), to);
  counting.device.lifetime = 10_000;
  await (await pfsenseAt(counting.way(), to).apply(set, seconds(30))).confirm();
  const steps = 10_000 - counting.device.lifetime;
  expect(steps).toBeGreaterThan(30);

  const outcomes: string[] = [];
  const die = async (after: number): Promise<void> => {
    const fake = await startThere();
    try {
      const before = stateOf(fake.device);
      const way = fake.way();
      const plan = await planned(way, to);
      fake.device.lifetime = after;
      const ended = await pfsenseAt(way, to)
        .apply(plan, seconds(2))
        .then((pending) => pending.confirm())
        .then(
          () => "confirmed",
          () => "died",
        );
      fake.device.lifetime = Number.POSITIVE_INFINITY;
      // The dead-man needs its two seconds, and pfSense's PHP what it needs.
      const isBack = (): boolean => stateOf(fake.device) === before && waitingOn(fake).length === 0;
      for (let waited = 0; waited < 60_000 && ended === "died" && !isBack(); waited += 250) {
        if (waited > 6000 && (await planned(fake.way(), to)).changes.length === 0) break;
        await pause(250);
      }
      const old = stateOf(fake.device) === before;
      const done = !old && (await planned(fake.way(), to)).changes.length === 0;
      outcomes.push(old ? "old" : done ? "new" : `between after ${after}`);
      // Neither a script that seems to wait, which would refuse the next apply, nor what runs it at boot.
      if (old) expect([after, waitingOn(fake)]).toEqual([after, []]);
      if (ended === "confirmed") expect(done).toBe(true);
    } finally {
      running.splice(running.indexOf(fake), 1);
      await fake.stop();
    }
  };
  // Eight at a time: most of it is waiting for a dead-man.
  const all = Array.from({ length: steps }, (_, i) => i).values();
  const some = async (): Promise<void> => {
    for (const after of all) await die(after);
  };
  await Promise.all(Array.from({ length: 8 }, some));
  expect(outcomes.filter((each) => each.startsWith("between"))).toEqual([]);
  expect(outcomes.filter((each) => each === "old").length).toBeGreaterThan(steps / 2);
}, 900_000);

test("a change may take longer than its time to confirm, as long as the device is reached meanwhile", async () => {
  const fake = await startThere();
  fake.device.faults.set("slow", Number.POSITIVE_INFINITY);
  const began = performance.now();
  // A step of its own must not take so long, whatever else this machine does.
  await (await applied(fake.way(), to, { within: 5 })).confirm();
  expect(performance.now() - began).toBeGreaterThan(5000);
  expect((await planned(fake.way(), to)).changes).toEqual([]);
  expect(leftovers(fake.device)).toEqual([]);
}, 120_000);

test("where the device went back while a write was under way, what that wrote is taken back too", async () => {
  const fake = await startThere();
  const before = stateOf(fake.device);
  fake.device.faults.set("stalled", 1);
  await expect(applied(fake.way(), to, { within: 2 })).rejects.toThrow(/E514 .*the device went back/);
  expect(stateOf(fake.device)).toBe(before);
  expect(leftovers(fake.device)).toEqual([]);
}, 120_000);

test("a restart before the confirmation takes the change back, though it was written already", async () => {
  const fake = await startThere();
  const before = stateOf(fake.device);
  const pending = await applied(fake.way(), to);
  expect(stateOf(fake.device)).not.toBe(before);
  await fake.reboot();
  expect(stateOf(fake.device)).toBe(before);
  await expect(pending.confirm()).rejects.toThrow("E515 Nothing is left of the undo");
  expect(leftovers(fake.device)).toEqual([]);
});

test("a restart after the confirmation keeps the change", async () => {
  const fake = await start();
  await reach(fake, to);
  const confirmed = stateOf(fake.device);
  await fake.reboot();
  expect(stateOf(fake.device)).toBe(confirmed);
  expect((await planned(fake.way(), to)).changes).toEqual([]);
});

test("a second apply waits for the first: E554, and nothing is written", async () => {
  const fake = await startThere();
  const first = await applied(fake.way(), to);
  const during = stateOf(fake.device);
  await expect(applied(fake.way(), state({ hosts: 1 }))).rejects.toThrow("E554 Another change waits");
  expect(stateOf(fake.device)).toBe(during);
  await first.confirm();
});

test("without a shell it applies, gives each rule its own tracker, and goes back by the API", async () => {
  const fake = await start(20);
  const way = fake.way({ shell: false });
  const [one, other] = [state({ shell: false, openings: web }), state({ shell: false, openings: more, hosts: 1 + 1 })];
  await (await applied(way, one, { pace: 30 })).confirm();
  expect((await planned(way, one)).changes).toEqual([]);
  const trackers = fake.device.config.filter.rule.map((each) => each["tracker"]);
  expect(new Set(trackers).size).toBe(trackers.length);
  const pending = await applied(way, other, { pace: 30 });
  expect((await planned(way, other)).changes).toEqual([]);
  await pending.rollback();
  expect((await planned(way, one)).changes).toEqual([]);
  await expect(pending.confirm()).rejects.toThrow("E514");
}, 60_000);

test("rules that came within a second share a tracker, are seen, and get their own", async () => {
  const fake = await startThere();
  const [first, second] = fake.device.config.filter.rule.filter(
    (each) => textOf(each, "descr")?.startsWith("sixgate: ") === true,
  );
  if (first === undefined || second === undefined) throw new Error("no rules");
  second["tracker"] = first["tracker"] ?? "";
  expect(
    (await planned(fake.way(), from)).changes.map((each) =>
      each.kind === "delete" ? each.before.key : each.after.key,
    ),
  ).toContain("rule trackers");
  await reach(fake, from);
});

test("keys of an interface that the API does not know are there after it wrote the interface", async () => {
  const fake = await start();
  const wan = fake.device.config.interfaces["wan"];
  if (wan === undefined) throw new Error("no wan");
  Object.assign(wan, { adv_dhcp6_prefix: "kept", dhcp6vlanprio: "3" });
  await reach(fake, from);
  // Its description was WAN, which the API refuses to write again.
  expect(fake.device.config.interfaces["wan"]).toMatchObject({
    adv_dhcp6_prefix: "kept",
    dhcp6vlanprio: "3",
    descr: "UPLINK",
  });
});

test("what somebody made just so stays theirs, and is not made twice", async () => {
  const path = join(import.meta.dirname, "../../../test/fixtures/pfsense/pfsense-article-2vm.config.xml");
  const fake = await fakePfSense({ config: readFileSync(path, "utf8") });
  running.push(fake);
  // The article by hand: its lengths, its routes, its names.
  const article = state({ link: 76 });
  const keys = (await planned(fake.way(), article)).changes.map((each) =>
    each.kind === "delete" ? each.before.key : each.after.key,
  );
  expect(keys).not.toContain("route 2001:db8:10ff:1:21::/80");
  expect(keys).not.toContain("gateway vtnet2 2001:db8:10ff:1:20::2");
  const foreign = foreignOf(fake.device);
  await reach(fake, article);
  expect(foreignOf(fake.device)).toBe(foreign);
  expect(
    fake.device.config.staticroutes.route.filter((each) => each["network"] === "2001:db8:10ff:1:21::/80"),
  ).toHaveLength(1);
});

test("what somebody made otherwise is in the way: E555, and nothing is written", async () => {
  const fake = await start();
  const { config } = fake.device;
  const before = stateOf(fake.device);
  const cases: readonly (() => void)[] = [
    () =>
      config.virtualip.vip.push({
        mode: "ipalias",
        interface: "opt1",
        uniqid: "1",
        descr: "mine",
        type: "single",
        subnet_bits: "64",
        subnet: "2001:db8:10ff:1:30::1",
      }),
    () => config.aliases.alias.push({ name: "sg_hosts", type: "network", address: "", descr: "mine", detail: "" }),
    () => config.staticroutes.route.push({ network: "2001:db8:10ff:1:30::/76", gateway: "vm1", descr: "mine" }),
    () => config.sysctl.item.push({ tunable: "net.inet6.ip6.redirect", value: "1", descr: "mine" }),
  ];
  for (const make of cases) {
    make();
    await expect(planned(fake.way(), from)).rejects.toThrow("E555 ");
    Object.assign(config, JSON.parse(before).config);
  }
});

test("an alias that somebody's rule uses is not taken from under it", async () => {
  const fake = await startThere();
  fake.device.config.filter.rule.push({
    tracker: "1",
    type: "pass",
    interface: "opt1",
    ipprotocol: "inet6",
    source: { any: "" },
    destination: { address: "sgf_tcp_443" },
    descr: "mine",
  });
  configureFilter(fake.device.kernel, fake.device.config);
  const before = stateOf(fake.device);
  await expect(applied(fake.way(), state())).rejects.toThrow(/E555 Rule "mine" uses alias sgf_tcp_443/);
  expect(stateOf(fake.device)).toBe(before);
});

test("a shell that hands on one word alone, or is not root's, is E557", async () => {
  const fake = await start();
  const way = fake.way();
  const set = await planned(way, from);
  const { shell } = way;
  if (shell === undefined) throw new Error("no shell");
  // rc.initial: /bin/sh -c $1, without quotes.
  const menu: ApiWay = {
    ...way,
    shell: {
      ...shell,
      run: (argv, options) =>
        argv[0] === "sh" ? shell.run(["sh", "-c", "printf ''"], options) : shell.run(argv, options),
    },
  };
  await expect(pfsenseAt(menu, from).apply(set, seconds(60))).rejects.toThrow(/E557 .*menu/);
  const user: ApiWay = {
    ...way,
    shell: {
      ...shell,
      run: async (argv, options) =>
        argv[0] === "sh" ? { code: 0, stdout: "two words 1001 php", stderr: "" } : shell.run(argv, options),
    },
  };
  await expect(pfsenseAt(user, from).apply(set, seconds(60))).rejects.toThrow(/E557 The shell is not root's/);
});

test("openings come and go without a dead-man, and go back", async () => {
  const fake = await startThere();
  const before = stateOf(fake.device);
  const opened = state({ openings: web.replace("[{", "[{ to: vm2/web, ports: [443], from: any }, {") });
  const set = await planned(fake.way(), opened);
  expect(set.changes.map((each) => (each.kind === "delete" ? each.before : each.after).lane)).toEqual(["members"]);
  const pending = await pfsenseAt(fake.way(), opened).apply(set, seconds(60));
  expect(fake.device.kernel.tables.get("sgf_tcp_443")).toContain("2001:db8:10ff:1:32::80");
  expect(leftovers(fake.device)).toEqual([]);
  await pending.rollback();
  expect(stateOf(fake.device)).toBe(before);
});

test("ruleNames has one rule for each service and side, however many containers are open", async () => {
  const fake = await start();
  const many = Array.from(
    { length: 40 },
    (_, i) => `{ to: "2001:db8:10ff:1:22::${(i + 2).toString(16)}", ports: [443], from: any }`,
  );
  await reach(fake, state({ openings: `[${many.join(", ")}]` }));
  expect(ruleNames(fake.device).filter((each) => each.includes("sgf_"))).toEqual([
    "sixgate: pass inside sgf_tcp_443",
    "sixgate: pass outside sgf_tcp_443",
  ]);
  expect(fake.device.kernel.tables.get("sgf_tcp_443")?.size).toBe(40);
});
