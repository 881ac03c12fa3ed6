import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diff } from "../../../src/change/diff.ts";
import type { GatewayDesired } from "../../../src/desired/desired.ts";
import { type ConfigElement, child, childrenOf, readConfig, textOf } from "../../../src/drivers/pf/xml.ts";
import { pfsense } from "../../../src/drivers/pfsense/driver.ts";
import { importPfsense } from "../../../src/drivers/pfsense/import.ts";
import { render, renderInto } from "../../../src/drivers/pfsense/render.ts";
import { parseFleet } from "../../../src/fleet/parse-fleet.ts";
import { derived } from "../../conformance/states.ts";
import { fakePfSense } from "../../fakes/pfsense/index.ts";

// A case is a folder: a fleet file, the sections of config.xml that it means (`config.xml`), and a whole configuration
// with them laid into it (`into.xml`). Both are judged by the fake: booted with them, the device has nothing left to change.

const cases = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const fixtures = join(import.meta.dirname, "../../fixtures/pfsense");
const fixture = (name: string): string => readFileSync(join(fixtures, name), "utf8");

function desiredOf(name: string): GatewayDesired {
  const found = derived(readFileSync(join(import.meta.dirname, name, "fleet.yaml"), "utf8")).find(
    (each) => each.layer === "gateway",
  );
  if (found === undefined) throw new Error("no gateway");
  return found;
}

/** A factory default whose NICs are assigned, as after the first minutes with a new device. */
function fresh(): string {
  const nics = fixture("pfsense-default-config.xml")
    .replace("<if>em0</if>", "<if>vtnet0</if>")
    .replace("<if>em1</if>", "<if>vtnet1</if>");
  return nics.replace(
    "\t</interfaces>",
    "\t\t<opt1>\n\t\t\t<if>vtnet2</if>\n\t\t\t<descr><![CDATA[OPT1]]></descr>\n\t\t</opt1>\n\t</interfaces>",
  );
}

async function leftOn(config: string, desired: GatewayDesired): Promise<readonly string[]> {
  const fake = await fakePfSense({ config });
  try {
    const { items } = await pfsense.at(fake.way(), desired).observe();
    return diff(items, pfsense.normalize(desired)).map((each) =>
      each.kind === "delete" ? each.before.key : each.after.key,
    );
  } finally {
    await fake.stop();
  }
}

test.each(cases)("render gives the sections of %s, and a device that has them needs no change", async (name) => {
  const desired = desiredOf(name);
  const [file] = render(desired);
  expect(render(desired)).toEqual([file]);
  await expect(file?.text).toMatchFileSnapshot(join(import.meta.dirname, name, "config.xml"));
  expect(await leftOn(file?.text ?? "", desired)).toEqual([]);
});

test.each(cases)(
  "renderInto lays %s into a factory default, once, and a device that has it needs no change",
  async (name) => {
    const desired = desiredOf(name);
    const whole = renderInto(fresh(), desired);
    await expect(whole).toMatchFileSnapshot(join(import.meta.dirname, name, "into.xml"));
    expect(renderInto(whole, desired)).toBe(whole);
    expect(await leftOn(whole, desired)).toEqual([]);
  },
);

test("renderInto keeps every line of a configuration but those of the two interfaces, its modes and its defaults", () => {
  const before = fixture("pfsense-article-2vm.config.xml");
  const desired = desiredOf("article");
  const after = renderInto(before, desired);
  const own = /<(wan|opt1|gateways|nat)>/;
  for (const line of before.split("\n").filter((each) => !own.test(each) && each !== "</gateways>"))
    expect(after).toContain(line);
  // From one fleet to another and back: only what is ours moved.
  const there = renderInto(after, desiredOf("sources-and-ranges"));
  expect(there).not.toBe(after);
  expect(renderInto(there, desired)).toBe(after);
});

test("renderInto says what a file lacks", () => {
  const desired = desiredOf("article");
  expect(() => renderInto("<opnsense/>", desired)).toThrow("its root is <opnsense>, not <pfsense>");
  expect(() => renderInto(fixture("pfsense-default-config.xml"), desired)).toThrow("it has no interface on vtnet0");
  expect(() => renderInto("<pfsense>", desired)).toThrow();
});

/** Names of the elements in a list's objects, with those inside. */
function shapes(root: ConfigElement, path: readonly string[], name: string): ReadonlySet<string> {
  const all = childrenOf(child(root, ...path), name);
  const names = (of: ConfigElement): readonly string[] => of.children.flatMap((each) => [each.name, ...names(each)]);
  return new Set(all.flatMap(names));
}

test("render uses no element that pfSense's own compiler was not seen to read", () => {
  const known = readConfig(fixture("pfsense-article-2vm.config.xml")).root;
  // Fields of config.xml that the article's own has no use for (facts of pfSense's schema).
  const also: Readonly<Record<string, readonly string[]>> = {
    rule: ["not", "log"],
    gateway_item: ["nonlocalgateway"],
  };
  for (const name of cases) {
    const made = readConfig(render(desiredOf(name))[0]?.text ?? "").root;
    for (const [path, each] of [
      [["aliases"], "alias"],
      [["filter"], "rule"],
      [["virtualip"], "vip"],
      [["gateways"], "gateway_item"],
      [["staticroutes"], "route"],
    ] as const) {
      const strange = [...shapes(made, path, each)].filter(
        (name_) => !shapes(known, path, each).has(name_) && !(also[each]?.includes(name_) ?? false),
      );
      expect([each, strange]).toEqual([each, []]);
    }
  }
});

test("importPfsense reads the article's firewall into a fleet file, guesses marked", async () => {
  const imported = importPfsense(fixture("pfsense-article-2vm.config.xml"));
  await expect(imported.text).toMatchFileSnapshot(join(import.meta.dirname, "imported-article.yaml"));
  const parsed = parseFleet(imported.text, "fleet.yaml");
  expect(parsed.ok ? parsed.warnings.map(({ code }) => code) : parsed.errors).toEqual(["W201"]);
  expect(imported.text.match(/# guess: /g)?.length).toBe(imported.guesses);
});

test.each(cases)("importPfsense gives back the hosts and openings of %s", (name) => {
  const desired = desiredOf(name);
  const parsed = parseFleet(importPfsense(renderInto(fresh(), desired)).text, "fleet.yaml");
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  expect([...parsed.value.hosts.values()].map(({ slot }) => slot)).toEqual([2, 3, 1000]);
  const again = derived(importPfsense(renderInto(fresh(), desired)).text).find((each) => each.layer === "gateway");
  const bare = (of: GatewayDesired | undefined): unknown =>
    of?.openings.map(({ to, service, from }) => ({ to, service, from }));
  expect(bare(again)).toEqual(bare(desired));
  expect(again?.policy.betweenHosts).toBe(desired.policy.betweenHosts);
  expect(again?.policy.egress).toBe(desired.policy.egress);
});

test("importPfsense says why a file can't be read, and no name in it gets out of its line", () => {
  expect(() => importPfsense("<opnsense/>")).toThrow("not <pfsense>");
  expect(() => importPfsense(fixture("pfsense-default-config.xml"))).toThrow("no fixed IPv6 address");
  const hostile = fixture("pfsense-article-2vm.config.xml")
    .replace("dg: icmp6", 'x"\nopenings: [] # \u2028')
    .replace("<name>vm1</name>", "<name>VM 1: evil</name>")
    .replaceAll("<gateway>vm1</gateway>", "<gateway>VM 1: evil</gateway>");
  const { text } = importPfsense(hostile);
  expect(parseFleet(text, "fleet.yaml").ok).toBe(true);
  expect(text).toContain("  vm-1-evil:");
  expect(textOf(readConfig(hostile).root, "system", "hostname")).toBe("fw");
});
