import { type ConfigElement, readConfig } from "../../../src/drivers/pf/xml.ts";

// pfSense's configuration as its own PHP has it after parsing config.xml: lists of maps of texts. A boolean is a key that
// is there, with an empty text.

export type Fields = { [key: string]: string | Fields };

export type Config = {
  version: string;
  interfaces: { [id: string]: { [key: string]: string } };
  virtualip: { vip: Fields[] };
  gateways: { defaultgw4?: string; defaultgw6?: string; gateway_item: Fields[] };
  staticroutes: { route: Fields[] };
  aliases: { alias: Fields[] };
  nat: { outbound: { mode?: string; rule: Fields[] } };
  filter: { rule: Fields[] };
  sysctl: { item: Fields[] };
};

/** What pfSense's parser makes of a file, as far as the fake has it. */
export function parseConfig(text: string): Config {
  const { root } = readConfig(text);
  const section = (...names: readonly string[]): readonly ConfigElement[] => {
    let at: ConfigElement | undefined = root;
    for (const name of names) at = at?.children.find((each) => each.name === name);
    return at?.children ?? [];
  };
  const list = (elements: readonly ConfigElement[], name: string): Fields[] =>
    elements.filter((each) => each.name === name).map(fieldsOf);
  const textIn = (elements: readonly ConfigElement[], name: string): string | undefined =>
    elements.find((each) => each.name === name)?.text;
  const gateways = section("gateways");
  const [gw4, gw6, mode] = [
    textIn(gateways, "defaultgw4"),
    textIn(gateways, "defaultgw6"),
    textIn(section("nat", "outbound"), "mode"),
  ];
  return {
    version: textIn(root.children, "version") ?? "24.0",
    interfaces: Object.fromEntries(
      section("interfaces").map((each) => [
        each.name,
        Object.fromEntries(each.children.map(({ name, text: value }) => [name, value])),
      ]),
    ),
    virtualip: { vip: list(section("virtualip"), "vip") },
    gateways: {
      ...(gw4 === undefined ? {} : { defaultgw4: gw4 }),
      ...(gw6 === undefined ? {} : { defaultgw6: gw6 }),
      gateway_item: list(gateways, "gateway_item"),
    },
    staticroutes: { route: list(section("staticroutes"), "route") },
    aliases: { alias: list(section("aliases"), "alias") },
    nat: { outbound: { ...(mode === undefined ? {} : { mode }), rule: list(section("nat", "outbound"), "rule") } },
    filter: { rule: list(section("filter"), "rule") },
    sysctl: { item: list(section("sysctl"), "item") },
  };
}

function fieldsOf(element: ConfigElement): Fields {
  return Object.fromEntries(
    element.children.map((each) => [each.name, each.children.length === 0 ? each.text : fieldsOf(each)]),
  );
}

export function textOf(fields: Fields, name: string): string | undefined {
  const found = fields[name];
  return typeof found === "string" ? found : undefined;
}

export function mapOf(fields: Fields, name: string): Fields {
  const found = fields[name];
  return typeof found === "object" ? found : {};
}

export function words(text: string | undefined, separator: string | RegExp): string[] {
  return (text ?? "").split(separator).filter((each) => each !== "");
}
