import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { more, type PfVariant, pfState, web } from "../../../test/conformance/pf-states.ts";
import { startOpnSense } from "../../../test/conformance/target-opnsense.ts";
import { type Fault, foreignOf, leftovers, stateOf } from "../../../test/fakes/opnsense/device.ts";
import type { FakeOpnSense } from "../../../test/fakes/opnsense/index.ts";
import { boot, reloadFilter } from "../../../test/fakes/opnsense/kernel.ts";
import { seconds } from "../../base/time.ts";
import type { ChangeSet } from "../../change/change-set.ts";
import { diff } from "../../change/diff.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import type { ApiWay } from "../../runtime/way.ts";
import type { Pending } from "../driver.ts";
import { opnsense } from "./driver.ts";

const running: FakeOpnSense[] = [];
afterEach(async () => {
  for (const fake of running.splice(0)) await fake.stop();
});

async function start(version?: string): Promise<FakeOpnSense> {
  const fake = await startOpnSense(version);
  running.push(fake);
  return fake;
}

const state = (variant: Omit<PfVariant, "kind"> = {}): GatewayDesired => pfState({ kind: "opnsense", ...variant });

async function planned(way: ApiWay, desired: GatewayDesired): Promise<ChangeSet> {
  const { items, revision } = await opnsense.at(way, desired).observe();
  return {
    device: desired.device,
    layer: "gateway",
    driver: "opnsense",
    base: revision,
    changes: diff(items, opnsense.normalize(desired)),
  };
}

async function applied(way: ApiWay, desired: GatewayDesired, within = 60): Promise<Pending> {
  return opnsense.at(way, desired).apply(await planned(way, desired), seconds(within));
}

async function reach(fake: FakeOpnSense, desired: GatewayDesired): Promise<void> {
  await (await applied(fake.way(), desired)).confirm();
  expect((await planned(fake.way(), desired)).changes).toEqual([]);
}

function keysOf({ changes }: ChangeSet): readonly string[] {
  return changes.map((each) => (each.kind === "delete" ? each.before.key : each.after.key));
}

const from = state({ openings: web });
let left: Promise<FakeOpnSense["device"]["config"]> | undefined;

/** One device is brought to `from`; the others are started with what that left, as after a restart, and are there too. */
async function startThere(): Promise<FakeOpnSense> {
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
  const passing: readonly Fault[] = ["somebody-removes", "rules-not-loaded", "tables-not-loaded", "routes-not-set"];
  await Promise.all(
    passing.map(async (fault) => {
      const fake = await startThere();
      const foreign = foreignOf(fake.device);
      fake.device.faults.set(fault, 1);
      await (await applied(fake.way(), to)).confirm();
      expect([fault, (await planned(fake.way(), to)).changes]).toEqual([fault, []]);
      expect([fault, fake.device.faults.is(fault)]).toEqual([fault, false]);
      expect(foreignOf(fake.device)).toBe(foreign);
      expect(leftovers(fake.device)).toEqual([]);
    }),
  );
}, 120_000);

test("apply fails with one clear error at each fault that stays, and the device is as it was", async () => {
  const forever = Number.POSITIVE_INFINITY;
  const staying: readonly (readonly [Fault, number, RegExp])[] = [
    ["rules-not-loaded", forever, /E512 The device says that it applied the change, but it is not in force: rules/],
    ["tables-not-loaded", forever, /E512 .*not in force: .*tables/],
    ["routes-not-set", forever, /E512 .*not in force: routes/],
    ["configd-down", forever, /E511 .*reconfigure was not done: .*Execute error/],
    ["write-fails", 1, /E511 \/\S+ was not done: /],
    ["fatal-read", 1, /E517 \w+ \S+ gave 500 and no answer of the API: PHP Fatal error/],
    ["fatal-write", 1, /E517 POST .* gave 500 and no answer/],
    ["answer-lost", 1, /E503 Not reached/],
    ["no-rights", forever, /E553 The key may not do POST/],
    ["php-fails", 1, /E511 OPNsense's PHP could not do "snapshot"/],
    ["shell-lost", forever, /E503 Not reached: connection closed/],
  ];
  await Promise.all(
    staying.map(async ([fault, times, error]) => {
      const fake = await startThere();
      const way = fake.way();
      const set = await planned(way, to);
      const before = stateOf(fake.device);
      fake.device.faults.set(fault, times);
      await expect(opnsense.at(way, to).apply(set, seconds(60)), fault).rejects.toThrow(error);
      fake.device.faults.clear();
      expect(stateOf(fake.device), fault).toBe(before);
      expect((await planned(way, from)).changes, fault).toEqual([]);
    }),
  );
}, 120_000);

test("a wrong secret is E552 at the first question, and a device that is not reached E503", async () => {
  const fake = await start();
  const way = fake.way({ secret: "wrong" });
  await expect(opnsense.at(way, from).observe()).rejects.toThrow("E552 The device does not know key and secret");
  await fake.stop();
  await expect(opnsense.at(way, from).observe()).rejects.toThrow("E503 Not reached");
});

test("a controller that dies after any step leaves the old or the new state, never what is between", async () => {
  const counting = await startThere();
  const set = await planned(counting.way(), to);
  counting.device.lifetime = 10_000;
  await (await opnsense.at(counting.way(), to).apply(set, seconds(30))).confirm();
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
      const ended = await opnsense
        .at(way, to)
        .apply(plan, seconds(2))
        .then((pending) => pending.confirm())
        .then(
          () => "confirmed",
          () => "died",
        );
      fake.device.lifetime = Number.POSITIVE_INFINITY;
      for (let waited = 0; waited < 60_000 && ended === "died" && stateOf(fake.device) !== before; waited += 250) {
        if (waited > 6000 && (await planned(fake.way(), to)).changes.length === 0) break;
        await pause(250);
      }
      const old = stateOf(fake.device) === before;
      const done = !old && (await planned(fake.way(), to)).changes.length === 0;
      outcomes.push(old ? "old" : done ? "new" : `between after ${after}`);
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

test("where the device went back while a write was under way, what that wrote is taken back too", async () => {
  const fake = await startThere();
  const before = stateOf(fake.device);
  fake.device.faults.set("stalled", 1);
  await expect(applied(fake.way(), to, 2)).rejects.toThrow(/E514 .*the device went back/);
  expect(stateOf(fake.device)).toBe(before);
  expect(leftovers(fake.device)).toEqual([]);
}, 120_000);

test("a restart before the confirmation takes the change back, one after it keeps it", async () => {
  const fake = await startThere();
  const before = stateOf(fake.device);
  const pending = await applied(fake.way(), to);
  expect(stateOf(fake.device)).not.toBe(before);
  await fake.reboot();
  expect(stateOf(fake.device)).toBe(before);
  await expect(pending.confirm()).rejects.toThrow("E515 Nothing is left of the undo");
  expect(leftovers(fake.device)).toEqual([]);
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

test("without a shell it applies, sees what runs all the same, and goes back by the API", async () => {
  const fake = await start();
  const way = fake.way({ shell: false });
  const [one, other] = [state({ shell: false, openings: web }), state({ shell: false, openings: more })];
  await (await applied(way, one)).confirm();
  expect((await planned(way, one)).changes).toEqual([]);
  // Somebody empties a table behind the API's back.
  fake.device.kernel.tables.get("sg_hosts")?.clear();
  expect(keysOf(await planned(way, one))).toEqual(["in force"]);
  await (await applied(way, one)).confirm();
  const pending = await applied(way, other);
  expect((await planned(way, other)).changes).toEqual([]);
  await pending.rollback();
  expect((await planned(way, one)).changes).toEqual([]);
  await expect(pending.confirm()).rejects.toThrow("E514");
});

test("a rule that was removed and is still loaded is not taken for gone", async () => {
  const fake = await start();
  const open = state({ openings: web, policy: "{ between-hosts: open }" });
  await reach(fake, open);
  const before = stateOf(fake.device);
  fake.device.faults.set("rules-not-loaded", Number.POSITIVE_INFINITY);
  const set = await planned(fake.way(), from);
  // One rule goes; others come, which would show by themselves.
  const going = { ...set, changes: set.changes.filter((each) => each.kind === "delete") };
  await expect(opnsense.at(fake.way(), from).apply(going, seconds(60))).rejects.toThrow(/E512 .*not in force: rules/);
  fake.device.faults.clear();
  expect(stateOf(fake.device)).toBe(before);
});

test.each(["25.1.12", "25.7.11_2", "26.1.4", "26.7.2", "27.1.a_44"])(
  "version %s is driven by what it can",
  async (version) => {
    const fake = await start(version);
    const desired = state({ openings: version < "26" ? more : web });
    await reach(fake, desired);
    const route = fake.device.config.lists.route.find(({ fields }) => fields["descr"]?.startsWith("sixgate: "));
    expect([version, route?.fields["enabled"], route?.fields["disabled"]]).toEqual(
      version < "26.7" ? [version, undefined, "0"] : [version, "1", undefined],
    );
    await reach(fake, state({ hosts: 1 }));
  },
  120_000,
);

test("each version refuses what it can't before anything is written", async () => {
  const old = await start("25.7.11");
  const before = stateOf(old.device);
  await expect(applied(old.way(), from)).rejects.toThrow(/E561 OPNsense 25.7.11 has no rules for echo requests alone/);
  expect(stateOf(old.device)).toBe(before);
  const older = await start("24.7.12_4");
  await expect(planned(older.way({ shell: false }), from)).rejects.toThrow(
    "E561 The API of OPNsense 24.7.12_4 says nothing",
  );
  await expect(applied(older.way(), state())).rejects.toThrow(/E561 .*no API for kernel settings: net.inet6/);
  older.device.kernel.sysctls.set("net.inet6.icmp6.rediraccept", "0").set("net.inet6.ip6.redirect", "0");
  await reach(older, state({ openings: more }));
  await expect(planned((await start("23.7")).way(), from)).rejects.toThrow("E561 OPNsense 23.7 can't be driven");
}, 120_000);

test("interfaces that are not as the fleet has them are E562, all at once, and nothing is written", async () => {
  const fake = await start();
  const { config, kernel } = fake.device;
  const hosts = config.interfaces["opt1"];
  if (hosts === undefined) throw new Error("no opt1");
  Object.assign(hosts, { spoofmac: "00:11:22:33:44:55", ipaddrv6: "2001:db8:10ff:1:20::1", subnetv6: "76" });
  Object.assign(config.interfaces["wan"] ?? {}, { ipaddr: "203.0.113.21" });
  boot(kernel, config);
  const before = stateOf(fake.device);
  await expect(applied(fake.way(), from)).rejects.toThrow(
    /E562 .*vtnet0 \(wan\) has IPv4 address 203.0.113.21\/26, not 203.0.113.20\/26; vtnet2 \(opt1\) has MAC 00:11:22:33:44:55, not .*; vtnet2 \(opt1\) has IPv6 address 2001:db8:10ff:1:20::1\/76, which the fleet does not/,
  );
  delete config.interfaces["opt1"];
  await expect(applied(fake.way(), from)).rejects.toThrow(/E562 .*vtnet2 is not assigned/);
  Object.assign(config.interfaces, { opt1: { ...hosts, enable: "0" } });
  await expect(applied(fake.way(), from)).rejects.toThrow(/E562 .*vtnet2 \(opt1\) is not enabled/);
  Object.assign(config.interfaces, { opt1: hosts });
  expect(stateOf(fake.device)).toBe(before);
});

test("an interface's own address is used as it is, where the fleet has it", async () => {
  const fake = await start();
  const { config, kernel } = fake.device;
  Object.assign(config.interfaces["opt1"] ?? {}, { ipaddrv6: "2001:DB8:10ff:1:20::1", subnetv6: "80" });
  boot(kernel, config);
  await reach(fake, from);
  expect(config.lists.vip.map(({ fields }) => fields["subnet"])).not.toContain("2001:db8:10ff:1:20::1");
});

test("what somebody made otherwise is in the way: E555, and nothing is written", async () => {
  const fake = await start();
  const { lists } = fake.device.config;
  const before = stateOf(fake.device);
  const add = (name: keyof typeof lists, fields: { [key: string]: string }) => (): void =>
    void lists[name].push({ uuid: "8e3f7b5c-0000-4000-8000-000000000000", fields });
  const cases = [
    add("vip", {
      interface: "opt1",
      mode: "ipalias",
      subnet: "2001:db8:10ff:1:30::1",
      subnet_bits: "64",
      descr: "mine",
    }),
    add("alias", { enabled: "1", name: "sg_hosts", type: "network", content: "", description: "mine" }),
    add("route", { network: "2001:db8:10ff:1:30::/76", gateway: "vm1", descr: "mine", enabled: "1" }),
    add("tunable", { tunable: "net.inet6.ip6.redirect", value: "1", descr: "mine" }),
    // Asked before our blocks.
    add("rule", { enabled: "1", action: "pass", sequence: "1", interface: "opt1", description: "mine" }),
  ];
  for (const make of cases) {
    make();
    await expect(planned(fake.way(), from)).rejects.toThrow("E555 ");
    for (const [name, list] of Object.entries(lists)) {
      const at = list.findIndex(({ uuid }) => uuid.startsWith("8e3f7b5c"));
      if (at >= 0) lists[name as keyof typeof lists].splice(at, 1);
    }
  }
  expect(stateOf(fake.device)).toBe(before);
});

test("a default route by somebody's gateway that is not marked as upstream is not ours to change", async () => {
  const fake = await start();
  fake.device.config.lists.gateway.push({
    uuid: "8e3f7b5c-0000-4000-8000-000000000000",
    fields: {
      disabled: "0",
      name: "WANGW6",
      interface: "wan",
      ipprotocol: "inet6",
      gateway: "fe80::1",
      defaultgw: "0",
      descr: "mine",
    },
  });
  const before = stateOf(fake.device);
  await expect(applied(fake.way(), from)).rejects.toThrow(/E555 Gateway WANGW6 \(fe80::1\) is not ours and not marked/);
  expect(stateOf(fake.device)).toBe(before);
  const wan = fake.device.config.lists.gateway.at(-1);
  if (wan !== undefined) wan.fields["defaultgw"] = "1";
  await reach(fake, from);
  expect(fake.device.kernel.routes.get("::/0")).toBe("fe80::1");
});

test("an alias that somebody's rule uses is not taken from under it", async () => {
  const fake = await startThere();
  fake.device.config.lists.rule.push({
    uuid: "8e3f7b5c-0000-4000-8000-000000000000",
    fields: {
      enabled: "1",
      action: "pass",
      sequence: "50",
      interface: "opt1",
      destination_net: "sgf_tcp_443",
      description: "mine",
    },
  });
  reloadFilter(fake.device.kernel, fake.device.config);
  const before = stateOf(fake.device);
  await expect(applied(fake.way(), state())).rejects.toThrow(/E511 .*Cannot delete alias. Currently in use/);
  expect(stateOf(fake.device)).toBe(before);
});

test("entries that the API listed twice are one, and tables of thousands are read whole", async () => {
  const fake = await start();
  const many = Array.from(
    { length: 6000 },
    (_, i) => `{ to: "2001:db8:10ff:1:22::${(i + 2).toString(16)}", ports: [443], from: any }`,
  );
  const desired = state({ openings: `[${many.join(", ")}]`, shell: false });
  await (await applied(fake.way({ shell: false }), desired)).confirm();
  const alias = fake.device.config.lists.alias.find(({ fields }) => fields["name"] === "sgf_tcp_443");
  if (alias === undefined) throw new Error("no alias");
  alias.fields["content"] += "\n2001:db8:10ff:1:22::2";
  expect((await planned(fake.way({ shell: false }), desired)).changes).toEqual([]);
  expect(fake.device.kernel.tables.get("sgf_tcp_443")?.size).toBe(6000);
}, 60_000);

test("openings come and go without a dead-man, and go back", async () => {
  const fake = await startThere();
  const before = stateOf(fake.device);
  const opened = state({ openings: web.replace("[{", "[{ to: vm2/web, ports: [443], from: any }, {") });
  const set = await planned(fake.way(), opened);
  expect(set.changes.map((each) => (each.kind === "delete" ? each.before : each.after).lane)).toEqual(["members"]);
  const pending = await opnsense.at(fake.way(), opened).apply(set, seconds(60));
  expect(fake.device.kernel.tables.get("sgf_tcp_443")).toContain("2001:db8:10ff:1:32::80");
  expect(leftovers(fake.device)).toEqual([]);
  await pending.rollback();
  expect(stateOf(fake.device)).toBe(before);
});
