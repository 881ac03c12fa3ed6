import { expect, test } from "vitest";
import { more, web } from "../../../test/conformance/pf-states.ts";
import { startOpnSense } from "../../../test/conformance/target-opnsense.ts";
import { type Fault, foreignOf, stateOf } from "../../../test/fakes/opnsense/device.ts";
import type { FakeOpnSense } from "../../../test/fakes/opnsense/index.ts";
import { boot, reloadFilter } from "../../../test/fakes/opnsense/kernel.ts";
import { type Faulty, forever, keysOf, pfSuite, pfWalk } from "../../../test/pf-suite.ts";
import { seconds } from "../../base/time.ts";
import { opnsense } from "./driver.ts";

const walk = pfWalk<FakeOpnSense>({ kind: opnsense, product: "opnsense", start: startOpnSense, stateOf, foreignOf });
const { started, startedThere, state, planned, applied, reach, from } = walk;

const faulty: Faulty<Fault, FakeOpnSense> = {
  passing: [
    { fault: "somebody-removes" },
    { fault: "rules-not-loaded" },
    { fault: "tables-not-loaded" },
    { fault: "routes-not-set" },
  ],
  staying: [
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
  ],
};
pfSuite(walk, faulty, {
  way: (fake) => fake.way({ secret: "wrong" }),
  error: "E552 The device does not know key and secret",
});

test("without a shell it applies, sees what runs all the same, and goes back by the API", async () => {
  const fake = await started();
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
  const fake = await started();
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
    const fake = await started(startOpnSense(version));
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
  const old = await started(startOpnSense("25.7.11"));
  const before = stateOf(old.device);
  await expect(applied(old.way(), from)).rejects.toThrow(/E561 OPNsense 25.7.11 has no rules for echo requests alone/);
  expect(stateOf(old.device)).toBe(before);
  const older = await started(startOpnSense("24.7.12_4"));
  await expect(planned(older.way({ shell: false }), from)).rejects.toThrow(
    "E561 The API of OPNsense 24.7.12_4 says nothing",
  );
  await expect(applied(older.way(), state())).rejects.toThrow(/E561 .*no API for kernel settings: net.inet6/);
  older.device.kernel.sysctls.set("net.inet6.icmp6.rediraccept", "0").set("net.inet6.ip6.redirect", "0");
  await reach(older, state({ openings: more }));
  await expect(planned((await started(startOpnSense("23.7"))).way(), from)).rejects.toThrow(
    "E561 OPNsense 23.7 can't be driven",
  );
}, 120_000);

test("interfaces that are not as the fleet has them are E562, all at once, and nothing is written", async () => {
  const fake = await started();
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
  const fake = await started();
  const { config, kernel } = fake.device;
  Object.assign(config.interfaces["opt1"] ?? {}, { ipaddrv6: "2001:DB8:10ff:1:20::1", subnetv6: "80" });
  boot(kernel, config);
  await reach(fake, from);
  expect(config.lists.vip.map(({ fields }) => fields["subnet"])).not.toContain("2001:db8:10ff:1:20::1");
});

test("what somebody made otherwise is in the way: E555, and nothing is written", async () => {
  const fake = await started();
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
  const fake = await started();
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
  const fake = await startedThere();
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
  const fake = await started();
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
