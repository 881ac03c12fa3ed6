import { afterEach, describe, expect, test } from "vitest";
import { type PfVariant, pfFleet, pfState, web } from "../../../../test/conformance/pf-states.ts";
import { startOpnSense } from "../../../../test/conformance/target-opnsense.ts";
import { startArticle } from "../../../../test/conformance/target-pfsense.ts";
import { type Kernel, showTables } from "../../../../test/fakes/kernel.ts";
import { allocate } from "../../../addressing/allocate.ts";
import { emptyLedger } from "../../../addressing/ledger.ts";
import { seconds } from "../../../base/time.ts";
import { diff } from "../../../change/diff.ts";
import { verifyFrom } from "../../../cli/verify.ts";
import { deriveFilter } from "../../../desired/derive-filter.ts";
import type { GatewayDesired } from "../../../desired/desired.ts";
import type { Fleet } from "../../../fleet/fleet.ts";
import { parseFleet } from "../../../fleet/parse-fleet.ts";
import { address } from "../../../net/address.ts";
import { decideFlow } from "../../../proof/decide-flow.ts";
import { placeTests, runTests } from "../../../proof/fleet-tests.ts";
import { firstPacket } from "../../../proof/packet.ts";
import { placesOf } from "../../../proof/vantages.ts";
import type { ApiWay, Way } from "../../../runtime/way.ts";
import type { DriverKind } from "../../driver.ts";
import { loadedRules, plannedRules } from "../../gateway-rules.ts";
import { opnsense } from "../../opnsense/driver.ts";
import { pfsense } from "../../pfsense/driver.ts";
import type { Loaded } from "../../rules-of.ts";

type Fake = {
  readonly kernel: Kernel;
  readonly root: string;
  readonly way: () => Way;
  readonly stop: () => Promise<void>;
};

type Product = {
  readonly kind: PfVariant["kind"];
  readonly driver: DriverKind<GatewayDesired>;
  readonly start: () => Promise<Fake>;
};

const products: readonly Product[] = [
  {
    kind: "pfsense",
    driver: pfsense,
    async start() {
      const fake = await startArticle();
      return { kernel: fake.device.kernel, root: fake.device.root, way: () => fake.way(), stop: () => fake.stop() };
    },
  },
  {
    kind: "opnsense",
    driver: opnsense,
    async start() {
      const fake = await startOpnSense();
      return { kernel: fake.device.kernel, root: fake.device.root, way: () => fake.way(), stop: () => fake.stop() };
    },
  },
];

const fakes = new Map<Kernel, string>();
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function applied({ driver, start }: Product, desired: GatewayDesired): Promise<{ kernel: Kernel; way: Way }> {
  const fake = await start();
  fakes.set(fake.kernel, fake.root);
  stops.push(fake.stop);
  const at = driver.at(fake.way(), desired);
  const { items, revision } = await at.observe();
  const set = { device: desired.device, layer: desired.layer, driver: driver.name, base: revision } as const;
  const pending = await at.apply({ ...set, changes: diff(items, driver.normalize(desired)) }, seconds(60));
  await pending.confirm();
  return { kernel: fake.kernel, way: fake.way() };
}

function parsed(text: string): Fleet {
  const found = parseFleet(text, "fleet.yaml");
  if (!found.ok) throw new Error(JSON.stringify(found.errors));
  return found.value;
}

function differences(loaded: Loaded, desired: GatewayDesired): readonly string[] {
  return placesOf(desired, new Map())
    .filter(({ seat }) => seat.side !== "management")
    .flatMap((place) =>
      verifyFrom(place, loaded, desired, []).differences.map(
        ({ kind, decision }) => `${place.vantage.name} ${kind} ${decision.by?.text ?? decision.why}`,
      ),
    );
}

describe.each(products)("$kind", (product) => {
  const desired = pfState({ kind: product.kind, openings: web });

  test.each([
    ["closed", {}],
    ["open between hosts", { openings: web, policy: "{ between-hosts: open }" }],
    ["without a way out", { openings: web, policy: "{ egress: closed }" }],
  ] as const)("what a plan makes, %s, lets through what is allowed and nothing else", (_, variant) => {
    const wanted = pfState({ kind: product.kind, ...variant });
    expect(differences(plannedRules(wanted), wanted)).toEqual([]);
  });

  test("what is loaded after an apply is proved, and a rule put in by hand is named", async () => {
    const { kernel, way } = await applied(product, desired);
    // What somebody had there before, as the fixture has it.
    kernel.rules = kernel.rules.filter(({ text }) => !text.includes("dg"));
    expect(differences(await loadedRules(way, desired), desired)).toEqual([]);
    kernel.automatic = [
      'pass in quick on vtnet0 inet6 proto tcp from any to any port = 23 flags S/SA keep state label "by hand"',
      ...kernel.automatic,
    ];
    const found = differences(await loadedRules(way, desired), desired);
    expect(found).toContainEqual(expect.stringMatching(/^internet exposed pass in quick on vtnet0 .* port = 23/));
  });

  test("a block in front of an opening is named, with where it stands", async () => {
    const { kernel, way } = await applied(product, desired);
    kernel.automatic = [
      'anchor "userrules/*" all {\n  anchor "people" all {\n    block drop in quick inet6 proto tcp from any to any port = 443\n  }\n}',
      ...kernel.automatic,
    ];
    const [to] = desired.openings.map((each) => each.to);
    const { rules, site } = await loadedRules(way, desired);
    const packet = firstPacket(
      { from: address("2600::1"), to: to ?? address("::"), transport: "tcp", port: 443 },
      { name: "internet", device: "vtnet0" },
    );
    expect(decideFlow(rules, site, packet)).toMatchObject({
      verdict: "drop",
      by: { chain: "userrules/people", ours: false, counter: { packets: 3, bytes: 180 } },
    });
  });

  test("a rule of ours is known for ours", async () => {
    const { way } = await applied(product, desired);
    const { rules } = await loadedRules(way, desired);
    const ours = [...rules.chains.values()].flatMap((chain) => chain.rules.filter(({ place }) => place.ours));
    expect(ours.length).toBeGreaterThanOrEqual(desired.openings.length);
  });

  test.each([
    [
      "a redirection",
      (kernel: Kernel) =>
        void (kernel.translation = [
          "rdr on vtnet0 inet6 proto tcp from any to any port = 80 -> 2001:db8:10ff:1:21::80",
        ]),
    ],
    [
      "a word that is not known",
      (kernel: Kernel) =>
        void (kernel.automatic = [
          "pass in quick on vtnet0 inet6 proto tcp from any to any frobnicated",
          ...kernel.automatic,
        ]),
    ],
    [
      "route-to",
      (kernel: Kernel) =>
        void (kernel.automatic = [
          "pass in quick on vtnet0 route-to (vtnet7 fe80::9) inet6 proto tcp from any to any",
          ...kernel.automatic,
        ]),
    ],
  ])("%s makes what depends on it unsure, never safe", async (_, meddle) => {
    const { kernel, way } = await applied(product, desired);
    kernel.rules = kernel.rules.filter(({ text }) => !text.includes("dg"));
    meddle(kernel);
    const found = differences(await loadedRules(way, desired), desired);
    expect(found).toContainEqual(expect.stringMatching(/^internet unsure /));
  });

  test("pf that is switched off lets everything through, and that is found", async () => {
    const { kernel, way } = await applied(product, desired);
    kernel.isOff = true;
    const loaded = await loadedRules(way, desired);
    expect(loaded.rules.aside[0]).toMatch(/switched off/);
    expect(differences(loaded, desired)).toContainEqual(expect.stringMatching(/^internet exposed /));
  });

  test("rules that are loaded anew while they are read are read again, and not for ever", async () => {
    const { kernel, way } = await applied(product, desired);
    let loads = 1;
    const busy = (): Way => {
      const { shell, ...rest } = way as ApiWay;
      if (shell === undefined) throw new Error("no shell");
      return {
        ...rest,
        shell: {
          ...shell,
          run(argv, options) {
            if (argv[0] === "ifconfig" && loads-- > 0) kernel.loads++;
            return shell.run(argv, options);
          },
        },
      };
    };
    expect((await loadedRules(busy(), desired)).rules.hooks).toHaveLength(4);
    loads = 3;
    await expect(loadedRules(busy(), desired)).rejects.toMatchObject({ diagnostic: { code: "E970" } });
  });

  test("a fleet's tests hold on what is planned", () => {
    const fleet = parsed(
      pfFleet({
        kind: product.kind,
        openings: web,
        tests:
          "[{ from: internet, to: vm1/web, open: [443, 443/udp, ping], closed: all }, { from: vm2, to: vm1/web, open: [443, 443/udp, ping], closed: all }]",
      }),
    );
    const numbered = allocate(fleet, emptyLedger(fleet.name));
    if (!numbered.ok) throw new Error("no plan");
    const { plan } = numbered.value;
    const wanted = deriveFilter(fleet, plan);
    const { rules, site, unasked } = plannedRules(wanted);
    const results = runTests(placeTests(fleet, plan, wanted), rules, site, unasked);
    expect(results.map(({ what, want, passed }) => `${what} ${want} ${passed}`)).toEqual([
      "443/tcp open true",
      "443/udp open true",
      "ping open true",
      "all others closed true",
      "443/tcp open true",
      "443/udp open true",
      "ping open true",
      "all others closed true",
    ]);
  });

  test("a read that fails rejects, and so does an answer of another form", async () => {
    const { kernel, way } = await applied(product, desired);
    kernel.automatic = ['anchor "x" all {', ...kernel.automatic];
    await expect(loadedRules(way, desired)).rejects.toMatchObject({ diagnostic: { code: "E970" } });
    kernel.automatic = kernel.automatic.slice(1);
    kernel.tables.set("snort2c", new Set(["no address"]));
    kernel.tables.set("virusprot", new Set(["no address"]));
    showTables(kernel, fakes.get(kernel) ?? "");
    await expect(loadedRules(way, desired)).rejects.toMatchObject({ diagnostic: { code: "E970" } });
  });
});
