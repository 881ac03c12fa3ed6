import { parseInterfaceAddress } from "../../../src/net/interface-address.ts";
import { parsePrefix } from "../../../src/net/prefix.ts";
import type { Kernel } from "../kernel.ts";
import type { Config, Entry } from "./config.ts";

// What OPNsense makes of its configuration: by the actions of configd that its API calls.

export function deviceOf(config: Config, id: string | undefined): string {
  return config.interfaces[id ?? ""]?.["if"] ?? id ?? "";
}

function on(fields: Entry["fields"]): boolean {
  return fields["enabled"] === undefined ? fields["disabled"] !== "1" : fields["enabled"] === "1";
}

function cidr(address: string | undefined, length: string | undefined): string | undefined {
  if (address === undefined || length === undefined || length === "") return undefined;
  const text = `${address}/${length}`;
  return parseInterfaceAddress(text) ?? (/^[0-9.]+$/.test(address) ? text : undefined);
}

function addressesOn(kernel: Kernel, device: string): Set<string> {
  const there = kernel.addresses.get(device) ?? new Set();
  kernel.addresses.set(device, there);
  return there;
}

/** `interface vip configure`: takes away what was noted as removed, then adds what is missing. */
export function configureVips(kernel: Kernel, config: Config, removed: Map<string, string>): void {
  for (const [, address] of removed)
    for (const there of kernel.addresses.values())
      for (const each of there) if (each.startsWith(`${address}/`)) there.delete(each);
  removed.clear();
  for (const { fields } of config.lists.vip) {
    const address = cidr(fields["subnet"], fields["subnet_bits"]);
    if (address !== undefined) addressesOn(kernel, deviceOf(config, fields["interface"])).add(address);
  }
}

/** Gateways as the product sorts them: those that may be the default first, then by priority, then the youngest. */
export function sortedGateways(config: Config): readonly (Entry & { readonly attribute: number })[] {
  return config.lists.gateway
    .map((each, attribute) => ({ ...each, attribute }))
    .sort((a, b) => {
      const upstream = Number(b.fields["defaultgw"] === "1") - Number(a.fields["defaultgw"] === "1");
      const priority = Number(a.fields["priority"] ?? 255) - Number(b.fields["priority"] ?? 255);
      return upstream || priority || b.attribute - a.attribute;
    });
}

export function defaultGateway(config: Config, family: string): Entry | undefined {
  return sortedGateways(config).find(
    ({ fields }) => fields["ipprotocol"] === family && fields["disabled"] !== "1" && fields["gateway"] !== "",
  );
}

/** `interface routes configure`: sets, and takes away what was noted as removed. */
export function configureRoutes(kernel: Kernel, config: Config, removed: Map<string, string>): void {
  for (const [, network] of removed) kernel.routes.delete(parsePrefix(network) ?? network);
  removed.clear();
  for (const [to, family] of [
    ["::/0", "inet6"],
    ["0.0.0.0/0", "inet"],
  ] as const) {
    const via = defaultGateway(config, family)?.fields["gateway"];
    if (via !== undefined) kernel.routes.set(to, via);
  }
  for (const { fields } of config.lists.route) {
    const to = fields["network"] ?? "";
    const via =
      fields["gateway"] === "Null6"
        ? "blackhole"
        : config.lists.gateway.find((each) => each.fields["name"] === fields["gateway"])?.fields["gateway"];
    if (via !== undefined && on(fields)) kernel.routes.set(parsePrefix(to) ?? to, via);
  }
}

/** `filter refresh_aliases`: tables get what the configuration has; those of type external keep what they have. */
export function refreshAliases(kernel: Kernel, config: Config): void {
  for (const { fields } of config.lists.alias) {
    if (fields["enabled"] !== "1" || !["host", "network"].includes(fields["type"] ?? "")) continue;
    const entries = (fields["content"] ?? "").split("\n").filter((each) => each !== "");
    kernel.tables.set(fields["name"] ?? "", new Set(entries.map((each) => each.replace(/\/128$/, ""))));
  }
}

/** `filter reload skip_alias`: tables are there for each alias, new ones empty, and keep what they hold. */
export function reloadFilter(kernel: Kernel, config: Config): void {
  const names = new Set(
    config.lists.alias.flatMap(({ fields }) =>
      fields["enabled"] === "1" && fields["type"] !== "port" ? (fields["name"] ?? "") : [],
    ),
  );
  for (const name of kernel.tables.keys()) if (!names.has(name)) kernel.tables.delete(name);
  for (const name of names) if (!kernel.tables.has(name)) kernel.tables.set(name, new Set());
  const sorted = config.lists.rule.toSorted(
    (a, b) => Number(a.fields["sequence"] ?? 1) - Number(b.fields["sequence"] ?? 1),
  );
  kernel.rules = sorted.flatMap(({ uuid, fields }) => {
    const uses = ["source_net", "destination_net"].flatMap((key) => aliasIn(config, fields[key]));
    if (fields["enabled"] !== "1" || uses.some((each) => !names.has(each))) return [];
    return [{ tracker: uuid, text: ruleText(config, uuid, fields), uses }];
  });
  kernel.loads++;
}

/** The alias that a place of a rule names, if it names one. */
function aliasIn(config: Config, net = "any"): readonly string[] {
  const named = /^[a-z_]\w*$/i.test(net) && net !== "any" && config.interfaces[net.replace(/ip$/, "")] === undefined;
  return named ? [net] : [];
}

/** As `pfctl -sr` prints it: a rule for each protocol. */
function ruleText(config: Config, uuid: string, fields: Entry["fields"]): string {
  const protocols = (fields["protocol"] ?? "any").toLowerCase().split("/");
  return protocols.map((protocol) => oneRule(config, uuid, fields, protocol)).join("\n");
}

function oneRule(config: Config, uuid: string, fields: Entry["fields"], protocol: string): string {
  const place = (side: string): string => {
    const net = fields[`${side}_net`] ?? "any";
    const [alias] = aliasIn(config, net);
    return `${fields[`${side}_not`] === "1" ? "! " : ""}${alias === undefined ? net : `<${alias}>`}`;
  };
  const port = fields["destination_port"] ?? "";
  const pass = fields["action"] === "pass";
  const icmp = fields["icmp6type"] ?? "";
  return [
    pass ? "pass" : "block drop",
    "in",
    "quick",
    `on ${deviceOf(config, fields["interface"])}`,
    fields["ipprotocol"] ?? "inet",
    ...(protocol === "any" ? [] : [`proto ${protocol}`]),
    `from ${place("source")} to ${place("destination")}`,
    ...(port === "" ? [] : [port.includes("-") ? `port ${port.replace("-", ":")}` : `port = ${port}`]),
    ...(icmp === "" ? [] : [`icmp6-type ${icmp === "128" ? "echoreq" : icmp}`]),
    ...(pass ? [protocol === "tcp" ? "flags S/SA keep state" : "keep state"] : []),
    `label "${uuid}"`,
  ].join(" ");
}

/** `service restart sysctl`. */
export function configureTunables(kernel: Kernel, config: Config): void {
  for (const { fields } of config.lists.tunable) {
    const { tunable = "", value = "" } = fields;
    if (value !== "" && value !== "default") kernel.sysctls.set(tunable, value);
  }
}

/** A restart: everything is set up from the configuration. */
export function boot(kernel: Kernel, config: Config): void {
  kernel.addresses.clear();
  kernel.routes.clear();
  kernel.sysctls.clear();
  kernel.tables.clear();
  kernel.states = [];
  for (const settings of Object.values(config.interfaces)) {
    if (settings["enable"] !== "1") continue;
    const there = addressesOn(kernel, settings["if"] ?? "");
    for (const each of [cidr(settings["ipaddrv6"], settings["subnetv6"]), cidr(settings["ipaddr"], settings["subnet"])])
      if (each !== undefined) there.add(each);
  }
  configureVips(kernel, config, new Map());
  configureRoutes(kernel, config, new Map());
  configureTunables(kernel, config);
  reloadFilter(kernel, config);
  refreshAliases(kernel, config);
}
