import { expect, test } from "vitest";
import { type ConfigElement, child, childrenOf, readConfig, textOf } from "../../../src/drivers/pf/xml.ts";
import { pfsense } from "../../../src/drivers/pfsense/driver.ts";
import { importPfsense } from "../../../src/drivers/pfsense/import.ts";
import { render, renderInto } from "../../../src/drivers/pfsense/render.ts";
import { parseFleet } from "../../../src/fleet/parse-fleet.ts";
import { fakePfSense } from "../../fakes/pfsense/index.ts";
import { casesOf, importTests, renderTests } from "../pf-cases.ts";

const cases = casesOf({ name: "pfsense" });
const { names, desiredOf, fixture } = cases;
const firewall = {
  name: "pfsense",
  kind: pfsense,
  render,
  renderInto,
  read: importPfsense,
  fresh() {
    const nics = fixture("pfsense-default-config.xml")
      .replace("<if>em0</if>", "<if>vtnet0</if>")
      .replace("<if>em1</if>", "<if>vtnet1</if>");
    return nics.replace(
      "\t</interfaces>",
      "\t\t<opt1>\n\t\t\t<if>vtnet2</if>\n\t\t\t<descr><![CDATA[OPT1]]></descr>\n\t\t</opt1>\n\t</interfaces>",
    );
  },
  boot: (config: string) => fakePfSense({ config }),
} as const;

renderTests(firewall, cases);
importTests(firewall, cases);

test("renderInto keeps every line of a configuration but those of the two interfaces, its modes and its defaults", () => {
  const before = fixture("pfsense-article-2vm.config.xml");
  const desired = desiredOf("article");
  const after = renderInto(before, desired);
  const own = /<(wan|opt1|gateways|nat)>/;
  for (const line of before.split("\n").filter((each) => !own.test(each) && each !== "</gateways>"))
    expect(after).toContain(line);
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
  for (const name of names) {
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
