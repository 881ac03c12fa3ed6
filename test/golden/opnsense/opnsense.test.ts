import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diff } from "../../../src/change/diff.ts";
import type { GatewayDesired } from "../../../src/desired/desired.ts";
import { opnsense } from "../../../src/drivers/opnsense/driver.ts";
import { importOpnsense } from "../../../src/drivers/opnsense/import.ts";
import { render, renderInto } from "../../../src/drivers/opnsense/render.ts";
import { type ConfigElement, child, readConfig } from "../../../src/drivers/pf/xml.ts";
import { parseFleet } from "../../../src/fleet/parse-fleet.ts";
import { derived } from "../../conformance/states.ts";
import { fakeOpnSense } from "../../fakes/opnsense/index.ts";
import { models } from "../../fakes/opnsense/models.ts";

// A case is a folder: a fleet file, the sections of config.xml that it means (`config.xml`), and a whole configuration
// with them laid into it (`into.xml`). Both are judged by the fake: booted with them, the device has nothing left to change.

const cases = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const fixtures = join(import.meta.dirname, "../../fixtures/opnsense");
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
  return fixture("opnsense-default-config.xml")
    .replace("<if>mismatch1</if>", "<if>vtnet0</if>")
    .replace("<if>mismatch0</if>", "<if>vtnet1</if>")
    .replace(
      "  </interfaces>",
      "    <opt1>\n      <if>vtnet2</if>\n      <descr>OPT1</descr>\n    </opt1>\n  </interfaces>",
    );
}

async function leftOn(config: string, desired: GatewayDesired, version?: string): Promise<readonly string[]> {
  const fake = await fakeOpnSense({ config, ...(version === undefined ? {} : { version }) });
  try {
    const { items } = await opnsense.at(fake.way(), desired).observe();
    return diff(items, opnsense.normalize(desired)).map((each) =>
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

test("renderInto switches routes as the version of the file does", async () => {
  const desired = desiredOf("article");
  const old = fresh().replace("</opnsense>", '  <staticroutes version="1.0.0"/>\n</opnsense>');
  expect(renderInto(old, desired)).toContain("<disabled>0</disabled>");
  expect(await leftOn(renderInto(old, desired), desired, "26.1.4")).toEqual([]);
  expect(renderInto(fresh(), desired)).not.toMatch(/<route [\s\S]*<disabled>/);
});

test("renderInto keeps everything of a configuration but the two interfaces, and only ours moves between fleets", () => {
  // Written on few lines, as a script made it.
  const before = fixture("opnsense-article-2vm.config.xml");
  const desired = desiredOf("article");
  const after = renderInto(before, desired);
  const theirs = (text: string): readonly string[] =>
    text.match(/<(rule|alias|vip|route|gateway_item|user|group) uuid="[^"]*">(?:(?!sixgate: )[\s\S])*?<\/\1>/g) ?? [];
  for (const each of theirs(before)) expect(after).toContain(each);
  expect(theirs(after)).toEqual(theirs(before));
  const there = renderInto(after, desiredOf("sources-and-ranges"));
  expect(there).not.toBe(after);
  expect(renderInto(there, desired)).toBe(after);
});

test("renderInto says what a file lacks", () => {
  const desired = desiredOf("article");
  expect(() => renderInto("<pfsense/>", desired)).toThrow("its root is <pfsense>, not <opnsense>");
  expect(() => renderInto(fixture("opnsense-default-config.xml"), desired)).toThrow("it has no interface on vtnet0");
  expect(() => renderInto("<opnsense>", desired)).toThrow();
});

test("render uses no field that the product's models have not", async () => {
  const fake = await fakeOpnSense({ config: fresh() });
  await fake.stop();
  const places = {
    alias: ["OPNsense", "Firewall", "Alias", "aliases"],
    rule: ["OPNsense", "Firewall", "Filter", "rules"],
    snat: ["OPNsense", "Firewall", "Filter", "snatrules"],
    vip: ["virtualip"],
    gateway: ["OPNsense", "Gateways"],
    route: ["staticroutes"],
    tunable: ["sysctl"],
  } as const;
  for (const name of cases) {
    const { root } = readConfig(render(desiredOf(name))[0]?.text ?? "");
    for (const { list, defaults } of models) {
      const elements: readonly ConfigElement[] = child(root, ...places[list])?.children ?? [];
      const strange = elements
        .flatMap(({ children }) => children.map((each) => each.name))
        .filter((each) => !(each in defaults(fake.device)));
      expect([list, strange]).toEqual([list, []]);
    }
    const uuids = root.children.flatMap((each) => uuidsIn(each));
    expect(new Set(uuids).size).toBe(uuids.length);
    for (const each of uuids)
      expect(each).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

function uuidsIn(element: ConfigElement): readonly string[] {
  const { uuid } = element.attributes;
  return [...(uuid === undefined ? [] : [uuid]), ...element.children.flatMap(uuidsIn)];
}

test("importOpnsense reads the article's firewall into a fleet file, guesses marked", async () => {
  const imported = importOpnsense(fixture("opnsense-article-2vm.config.xml"));
  await expect(imported.text).toMatchFileSnapshot(join(import.meta.dirname, "imported-article.yaml"));
  const parsed = parseFleet(imported.text, "fleet.yaml");
  expect(parsed.ok ? parsed.warnings.map(({ code }) => code) : parsed.errors).toEqual(["W201"]);
  expect(imported.text.match(/# guess: /g)?.length).toBe(imported.guesses);
});

test("importOpnsense reads rules of the older page too", () => {
  const rule = `<rule><type>pass</type><interface>wan</interface><ipprotocol>inet6</ipprotocol><protocol>tcp</protocol>
    <source><any>1</any></source><destination><address>2001:db8:10ff:1:31::80</address><port>8443</port></destination></rule>`;
  const text = fixture("opnsense-article-2vm.config.xml").replace("<filter/>", `<filter>${rule}</filter>`);
  expect(importOpnsense(text).text).toContain('- { to: "2001:db8:10ff:1:31::80", ports: [8443], from: any }');
});

test.each(cases)("importOpnsense gives back the hosts and openings of %s", (name) => {
  const desired = desiredOf(name);
  const text = importOpnsense(renderInto(fresh(), desired)).text;
  const parsed = parseFleet(text, "fleet.yaml");
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  expect([...parsed.value.hosts.values()].map(({ slot }) => slot)).toEqual([2, 3, 1000]);
  const again = derived(text).find((each) => each.layer === "gateway");
  const bare = (of: GatewayDesired | undefined): unknown =>
    of?.openings.map(({ to, service, from }) => ({ to, service, from }));
  expect(bare(again)).toEqual(bare(desired));
});
