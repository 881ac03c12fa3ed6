import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { more, web } from "../../../test/conformance/pf-states.ts";
import { startArticle } from "../../../test/conformance/target-pfsense.ts";
import { leftovers } from "../../../test/fakes/firewall.ts";
import { textOf } from "../../../test/fakes/pfsense/config.ts";
import { type Fault, foreignOf, ruleNames, stateOf } from "../../../test/fakes/pfsense/device.ts";
import { type FakePfSense, fakePfSense } from "../../../test/fakes/pfsense/index.ts";
import { configureFilter } from "../../../test/fakes/pfsense/kernel.ts";
import { type Faulty, forever, keysOf, pfSuite, pfWalk } from "../../../test/pf-suite.ts";
import { seconds } from "../../base/time.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import type { ApiWay } from "../../runtime/way.ts";
import type { Driver } from "../driver.ts";
import { pfsense, pfsenseAt } from "./driver.ts";

const walk = pfWalk<FakePfSense>({ kind: pfsense, product: "pfsense", start: startArticle, stateOf, foreignOf });
const { started, startedThere, state, planned, applied, reach, from, to } = walk;

const faulty: Faulty<Fault, FakePfSense> = {
  passing: [
    { fault: "lost-update" },
    {
      fault: "index-shift",
      // Somebody's alias came in between, and kept what it had.
      after: ({ config }) =>
        expect(config.aliases.alias.find((each) => each["name"] === "somebody")?.["address"]).toBe("2001:db8:f::5"),
    },
    { fault: "not-loaded" },
    { fault: "load-fails" },
    { fault: "queue-full", times: 2 },
    { fault: "write-locked", times: 2 },
    { fault: "named-by-descr", times: forever },
  ],
  staying: [
    ["not-loaded", forever, /E512 The device says that it applied the change, but it is not in force: (rules|tables)/],
    ["load-fails", forever, /E512 /],
    ["fatal-read", 1, /E517 GET .* gave 500 and no answer of the REST API: PHP Fatal error/],
    ["fatal-write", 1, /E517 .* gave 500 and no answer/],
    ["answer-lost", 1, /E503 Not reached/],
    ["no-package", forever, /E560 The device has no REST API/],
    ["no-rights", forever, /E553 The key may not do/],
    ["php-fails", 1, /E511 pfSense's PHP could not do "snapshot"/],
    ["shell-lost", forever, /E503 Not reached: connection closed/],
  ],
};
pfSuite(walk, faulty, {
  way: (fake) => fake.way({ key: "wrong" }),
  error: "E552 The device does not know the key",
});

test("a change may take longer than its time to confirm, as long as the device is reached meanwhile", async () => {
  const fake = await startedThere();
  fake.device.faults.set("slow", Number.POSITIVE_INFINITY);
  const began = performance.now();
  // A step of its own must not take so long, whatever else this machine does.
  await (await applied(fake.way(), to, { within: 5 })).confirm();
  expect(performance.now() - began).toBeGreaterThan(5000);
  expect((await planned(fake.way(), to)).changes).toEqual([]);
  expect(leftovers(fake.device)).toEqual([]);
}, 120_000);

test("without a shell it applies, gives each rule its own tracker, and goes back by the API", async () => {
  const fake = await started(startArticle(20));
  const way = fake.way({ shell: false });
  const at = (by: ApiWay, desired: GatewayDesired): Driver => pfsenseAt(by, desired, 30);
  const [one, other] = [state({ shell: false, openings: web }), state({ shell: false, openings: more, hosts: 1 + 1 })];
  await (await applied(way, one, { at })).confirm();
  expect((await planned(way, one)).changes).toEqual([]);
  const trackers = fake.device.config.filter.rule.map((each) => each["tracker"]);
  expect(new Set(trackers).size).toBe(trackers.length);
  const pending = await applied(way, other, { at });
  expect((await planned(way, other)).changes).toEqual([]);
  await pending.rollback();
  expect((await planned(way, one)).changes).toEqual([]);
  await expect(pending.confirm()).rejects.toThrow("E514");
}, 60_000);

test("rules that came within a second share a tracker, are seen, and get their own", async () => {
  const fake = await startedThere();
  const [first, second] = fake.device.config.filter.rule.filter(
    (each) => textOf(each, "descr")?.startsWith("sixgate: ") === true,
  );
  if (first === undefined || second === undefined) throw new Error("no rules");
  second["tracker"] = first["tracker"] ?? "";
  expect(keysOf(await planned(fake.way(), from))).toContain("rule trackers");
  await reach(fake, from);
});

test("keys of an interface that the API does not know are there after it wrote the interface", async () => {
  const fake = await started();
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
  const fake = await started(fakePfSense({ config: readFileSync(path, "utf8") }));
  // The article by hand: its lengths, its routes, its names.
  const article = state({ link: 76 });
  const keys = keysOf(await planned(fake.way(), article));
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
  const fake = await started();
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
  const fake = await startedThere();
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
  const fake = await started();
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

test("ruleNames has one rule for each service and side, however many containers are open", async () => {
  const fake = await started();
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
