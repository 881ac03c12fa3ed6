import { type ConfigElement, child, childrenOf, readConfig, textOf } from "../../../src/drivers/pf/xml.ts";

// OPNsense's configuration as its models have it: lists of objects with uuids, every field a text.

export type Entry = { uuid: string; fields: { [key: string]: string } };

export type ListName = "alias" | "rule" | "snat" | "vip" | "gateway" | "route" | "tunable";

export type Config = {
  hostname: string;
  interfaces: { [id: string]: { [key: string]: string } };
  lists: { [name in ListName]: Entry[] };
};

/** Where each list is in config.xml, and which of its fields people read. */
export const places: {
  readonly [name in ListName]: { readonly path: readonly string[]; readonly element: string; readonly about: string };
} = {
  alias: { path: ["OPNsense", "Firewall", "Alias", "aliases"], element: "alias", about: "description" },
  rule: { path: ["OPNsense", "Firewall", "Filter", "rules"], element: "rule", about: "description" },
  snat: { path: ["OPNsense", "Firewall", "Filter", "snatrules"], element: "rule", about: "description" },
  vip: { path: ["virtualip"], element: "vip", about: "descr" },
  gateway: { path: ["OPNsense", "Gateways"], element: "gateway_item", about: "descr" },
  route: { path: ["staticroutes"], element: "route", about: "descr" },
  tunable: { path: ["sysctl"], element: "item", about: "descr" },
};

export const listNames = Object.keys(places) as ListName[];

export function parseConfig(text: string, uuid: () => string): Config {
  const { root } = readConfig(text);
  const list = (name: ListName): Entry[] => {
    const { path, element } = places[name];
    return childrenOf(child(root, ...path), element).map((each) => ({
      uuid: each.attributes["uuid"] ?? uuid(),
      fields: fieldsOf(each),
    }));
  };
  return {
    hostname: textOf(root, "system", "hostname") ?? "OPNsense",
    interfaces: Object.fromEntries(
      (child(root, "interfaces")?.children ?? []).map((each) => [each.name, fieldsOf(each)]),
    ),
    lists: Object.fromEntries(listNames.map((name) => [name, list(name)])) as Config["lists"],
  };
}

function fieldsOf(element: ConfigElement): { [key: string]: string } {
  return Object.fromEntries(element.children.map(({ name, text }) => [name, text]));
}

export function isOurs({ fields }: Entry): boolean {
  return (fields["description"] ?? fields["descr"] ?? "").startsWith("sixgate: ");
}
