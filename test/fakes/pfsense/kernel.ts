import { parseInterfaceAddress } from "../../../src/net/interface-address.ts";
import { parsePrefix } from "../../../src/net/prefix.ts";
import type { Kernel } from "../kernel.ts";
import { type Config, type Fields, mapOf, textOf, words } from "./config.ts";

export function deviceOf(config: Config, id: string): string {
  return config.interfaces[id]?.["if"] ?? id;
}

export function cidr(address: string | undefined, length: string | undefined): string | undefined {
  if (address === undefined || length === undefined || length === "") return undefined;
  return (
    parseInterfaceAddress(`${address}/${length}`) ?? (/^[0-9.]+$/.test(address) ? `${address}/${length}` : undefined)
  );
}

function addressesOn(kernel: Kernel, device: string): Set<string> {
  const there = kernel.addresses.get(device) ?? new Set();
  kernel.addresses.set(device, there);
  return there;
}

/** interface_configure(): its own addresses, then the virtual IPs on it. */
export function configureInterface(kernel: Kernel, config: Config, id: string): void {
  const settings = config.interfaces[id];
  if (settings === undefined) return;
  const device = deviceOf(config, id);
  kernel.addresses.delete(device);
  if (settings["enable"] === undefined) return;
  const own = [cidr(settings["ipaddrv6"], settings["subnetv6"]), cidr(settings["ipaddr"], settings["subnet"])];
  for (const each of own) if (each !== undefined) addressesOn(kernel, device).add(each);
  for (const vip of config.virtualip.vip) if (textOf(vip, "interface") === id) bringUpVip(kernel, config, vip);
}

export function vipCidr(vip: Fields): string | undefined {
  return cidr(textOf(vip, "subnet"), textOf(vip, "subnet_bits"));
}

export function bringUpVip(kernel: Kernel, config: Config, vip: Fields): void {
  const address = vipCidr(vip);
  if (address !== undefined) addressesOn(kernel, deviceOf(config, textOf(vip, "interface") ?? "")).add(address);
}

export function bringDownVip(kernel: Kernel, config: Config, vip: Fields): void {
  const address = vipCidr(vip);
  if (address !== undefined) kernel.addresses.get(deviceOf(config, textOf(vip, "interface") ?? ""))?.delete(address);
}

/** system_routing_configure(): sets, and leaves what is no longer configured to whoever removed it. */
export function configureRouting(kernel: Kernel, config: Config): void {
  const { defaultgw4, defaultgw6, gateway_item: items } = config.gateways;
  const hop = (name: string | undefined): string | undefined =>
    textOf(items.find((each) => textOf(each, "name") === name) ?? {}, "gateway");
  for (const [to, name] of [
    ["::/0", defaultgw6],
    ["0.0.0.0/0", defaultgw4],
  ] as const) {
    const via = hop(name);
    if (via !== undefined) kernel.routes.set(to, via);
    else if (name === "-") kernel.routes.delete(to);
  }
  for (const route of config.staticroutes.route) {
    const to = textOf(route, "network") ?? "";
    const name = textOf(route, "gateway");
    const via = name === "Null6" ? "blackhole" : hop(name);
    if (via !== undefined && route["disabled"] === undefined) kernel.routes.set(parsePrefix(to) ?? to, via);
  }
}

/**
 * filter_configure_sync(): every table gets the configuration's entries, whatever was added to it meanwhile. One without
 * entries keeps what it holds, unless its alias is empty: that is flushed.
 */
export function configureFilter(kernel: Kernel, config: Config): void {
  const hosts = config.aliases.alias.filter((each) => textOf(each, "type") !== "port");
  const names = new Set(hosts.map((each) => textOf(each, "name") ?? ""));
  for (const name of kernel.tables.keys()) if (!names.has(name)) kernel.tables.delete(name);
  for (const alias of hosts) {
    const name = textOf(alias, "name") ?? "";
    const entries = expanded(config, name, new Set());
    if (entries.length > 0 || textOf(alias, "address") === "") kernel.tables.set(name, new Set(entries));
    else if (!kernel.tables.has(name)) kernel.tables.set(name, new Set());
  }
  // A rule whose alias is gone becomes a comment; the rest loads.
  kernel.rules = config.filter.rule.flatMap((rule) => {
    if (rule["disabled"] !== undefined) return [];
    const uses = usesOf(rule);
    if (uses.some((each) => looksLikeAlias(each) && !names.has(each))) return [];
    return [{ tracker: textOf(rule, "tracker") ?? "", text: ruleText(config, rule), uses }];
  });
  kernel.loads++;
}

/** filter_generate_nested_alias(): aliases in aliases are their entries. */
function expanded(config: Config, name: string, seen: Set<string>): readonly string[] {
  seen.add(name);
  const alias = config.aliases.alias.find((each) => textOf(each, "name") === name);
  return words(textOf(alias ?? {}, "address"), / +/).flatMap((each) => {
    const nested = config.aliases.alias.some((other) => textOf(other, "name") === each);
    if (!nested) return [each];
    return seen.has(each) ? [] : expanded(config, each, seen);
  });
}

function usesOf(rule: Fields): string[] {
  return ["source", "destination"].flatMap((side) => textOf(mapOf(rule, side), "address") ?? []);
}

function looksLikeAlias(text: string): boolean {
  return !/[:./]/.test(text) && !/^(any|\(self\))$/.test(text);
}

/** As `pfctl -sr` prints it: a rule for each interface and each protocol. */
function ruleText(config: Config, rule: Fields): string {
  const on = words(textOf(rule, "interface"), ",").map((id) => deviceOf(config, id));
  const protocols = textOf(rule, "protocol")?.split("/") ?? [undefined];
  return on.flatMap((device) => protocols.map((protocol) => oneRule(rule, device, protocol))).join("\n");
}

function oneRule(rule: Fields, device: string, protocol: string | undefined): string {
  const place = (side: string): string => {
    const at = mapOf(rule, side);
    const address = textOf(at, "address") ?? textOf(at, "network");
    if (address === undefined) return "any";
    return `${at["not"] === undefined ? "" : "! "}${looksLikeAlias(address) ? `<${address}>` : address}`;
  };
  const port = textOf(mapOf(rule, "destination"), "port");
  return [
    textOf(rule, "type") === "pass" ? "pass" : "block drop",
    "in",
    "quick",
    `on ${device}`,
    "inet6",
    ...(protocol === undefined ? [] : [`proto ${protocol === "icmp" ? "ipv6-icmp" : protocol}`]),
    `from ${place("source")} to ${place("destination")}`,
    ...(port === undefined ? [] : [port.includes("-") ? `port ${port.replace("-", ":")}` : `port = ${port}`]),
    ...(textOf(rule, "icmptype") === undefined ? [] : [`icmp6-type ${textOf(rule, "icmptype")}`]),
    ...(textOf(rule, "type") === "pass" ? [protocol === "tcp" ? "flags S/SA keep state" : "keep state"] : []),
    `label "id=${textOf(rule, "tracker") ?? ""}" label "tags=user_rule" label "descr=${textOf(rule, "descr") ?? ""}"`,
    `ridentifier ${textOf(rule, "tracker") ?? ""}`,
  ].join(" ");
}

/** A restart: everything is set up from the configuration. */
export function boot(kernel: Kernel, config: Config): void {
  kernel.addresses.clear();
  kernel.routes.clear();
  kernel.sysctls.clear();
  kernel.states = [];
  kernel.tables.clear();
  for (const id of Object.keys(config.interfaces)) configureInterface(kernel, config, id);
  configureRouting(kernel, config);
  configureSysctls(kernel, config);
  configureFilter(kernel, config);
}

export function configureSysctls(kernel: Kernel, config: Config): void {
  for (const item of config.sysctl.item) kernel.sysctls.set(textOf(item, "tunable") ?? "", textOf(item, "value") ?? "");
}
