import { expect, test } from "vitest";
import { opnsense } from "../../../src/drivers/opnsense/driver.ts";
import { importOpnsense } from "../../../src/drivers/opnsense/import.ts";
import { render, renderInto } from "../../../src/drivers/opnsense/render.ts";
import { type ConfigElement, child, readConfig } from "../../../src/drivers/pf/xml.ts";
import { fakeOpnSense } from "../../fakes/opnsense/index.ts";
import { models } from "../../fakes/opnsense/models.ts";
import { casesOf, importTests, leftOn, renderTests } from "../pf-cases.ts";

const cases = casesOf({ name: "opnsense" });
const { names, desiredOf, fixture } = cases;
const firewall = {
  name: "opnsense",
  kind: opnsense,
  render,
  renderInto,
  read: importOpnsense,
  fresh() {
    return fixture("opnsense-default-config.xml")
      .replace("<if>mismatch1</if>", "<if>vtnet0</if>")
      .replace("<if>mismatch0</if>", "<if>vtnet1</if>")
      .replace(
        "  </interfaces>",
        "    <opt1>\n      <if>vtnet2</if>\n      <descr>OPT1</descr>\n    </opt1>\n  </interfaces>",
      );
  },
  boot: (config: string) => fakeOpnSense({ config }),
} as const;

renderTests(firewall, cases);
importTests(firewall, cases);

test("renderInto switches routes as the version of the file does", async () => {
  const older = { kind: opnsense, boot: (config: string) => fakeOpnSense({ config, version: "26.1.4" }) };
  const desired = desiredOf("article");
  const old = firewall.fresh().replace("</opnsense>", '  <staticroutes version="1.0.0"/>\n</opnsense>');
  expect(renderInto(old, desired)).toContain("<disabled>0</disabled>");
  expect(await leftOn(older, renderInto(old, desired), desired)).toEqual([]);
  expect(renderInto(firewall.fresh(), desired)).not.toMatch(/<route [\s\S]*<disabled>/);
});

test("renderInto keeps everything of a configuration but the two interfaces", () => {
  // Written on few lines, as a script made it.
  const before = fixture("opnsense-article-2vm.config.xml");
  const desired = desiredOf("article");
  const after = renderInto(before, desired);
  const theirs = (text: string): readonly string[] =>
    text.match(/<(rule|alias|vip|route|gateway_item|user|group) uuid="[^"]*">(?:(?!sixgate: )[\s\S])*?<\/\1>/g) ?? [];
  for (const each of theirs(before)) expect(after).toContain(each);
  expect(theirs(after)).toEqual(theirs(before));
});

test("render uses no field that the product's models have not", async () => {
  const fake = await fakeOpnSense({ config: firewall.fresh() });
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
  for (const name of names) {
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

test("importOpnsense reads rules of the older page too", () => {
  const rule = `<rule><type>pass</type><interface>wan</interface><ipprotocol>inet6</ipprotocol><protocol>tcp</protocol>
    <source><any>1</any></source><destination><address>2001:db8:10ff:1:31::80</address><port>8443</port></destination></rule>`;
  const text = fixture("opnsense-article-2vm.config.xml").replace("<filter/>", `<filter>${rule}</filter>`);
  expect(importOpnsense(text).text).toContain('- { to: "2001:db8:10ff:1:31::80", ports: [8443], from: any }');
});
