import { z } from "zod";
import { parseMac } from "../../net/mac.ts";
import { canonicalEntries, parseAnswer, text } from "../pf/answers.ts";
import { withLength } from "../pf/canonical.ts";
import type { HeldNetwork, OwnAddresses } from "../pf/held-network.ts";
import { type Rest, type Row, versions } from "./api.ts";

// What the device holds, as its configuration has it: rows of the REST API in our own words. Fields that nobody set are
// null or missing there, and undefined here.

const flag = z.union([z.boolean(), z.null(), z.undefined()]).transform((found) => found === true);
const number = z.union([z.number(), z.null(), z.undefined()]).transform((found) => found ?? undefined);
const words = z.union([z.array(z.string()), z.null(), z.undefined()]).transform((found) => found ?? []);

const interfaceRow = z.object({
  id: z.string(),
  if: z.string(),
  enable: flag,
  descr: text,
  spoofmac: text,
  typev4: text,
  ipaddr: text,
  subnet: number,
  gateway: text,
  typev6: text,
  ipaddrv6: text,
  subnetv6: number,
  gatewayv6: text,
});
const portRow = z.object({ if: z.string(), mac: text });
const vipRow = z.object({
  uniqid: z.string(),
  mode: z.string(),
  interface: z.string(),
  subnet: z.string(),
  subnet_bits: z.number(),
  descr: text,
});
const gatewayRow = z.object({
  name: z.string(),
  descr: text,
  disabled: flag,
  interface: z.string(),
  gateway: text,
});
const routeRow = z.object({ network: z.string(), gateway: text, descr: text, disabled: flag });
const aliasRow = z.object({ name: z.string(), type: z.string(), descr: text, address: words, detail: words });
const ruleRow = z.object({
  type: z.string(),
  interface: words,
  ipprotocol: z.string(),
  protocol: text,
  icmptype: words,
  source: z.string(),
  source_port: text,
  destination: z.string(),
  destination_port: text,
  descr: text,
  disabled: flag,
  floating: flag,
  quick: flag,
  direction: text,
  statetype: text,
  gateway: text,
  tracker: number,
});
const mappingRow = z.object({
  interface: z.string(),
  protocol: text,
  disabled: flag,
  nonat: flag,
  source: z.string(),
  destination: text,
  target: text,
  descr: text,
});
const tunableRow = z.object({ tunable: z.string(), value: z.string(), descr: text });
const modeRow = z.object({ mode: z.string() });
const defaultRow = z.object({ defaultgw4: text, defaultgw6: text });
const appliedRow = z.object({ applied: z.boolean() });

export type InterfaceRow = z.output<typeof interfaceRow>;
export type VipRow = z.output<typeof vipRow>;
export type GatewayRow = z.output<typeof gatewayRow>;
export type RouteRow = z.output<typeof routeRow>;
export type AliasRow = z.output<typeof aliasRow>;
export type RuleRow = z.output<typeof ruleRow>;
export type MappingRow = z.output<typeof mappingRow>;

/** One reading of the whole: not of one moment, so what is changed is looked at again. */
export type Reading = {
  readonly interfaces: readonly InterfaceRow[];
  readonly ports: readonly z.output<typeof portRow>[];
  readonly vips: readonly VipRow[];
  readonly gateways: readonly GatewayRow[];
  readonly routes: readonly RouteRow[];
  readonly aliases: readonly AliasRow[];
  readonly rules: readonly RuleRow[];
  readonly mappings: readonly MappingRow[];
  readonly tunables: readonly z.output<typeof tunableRow>[];
  readonly natMode: string;
  readonly defaults: z.output<typeof defaultRow>;
  /** False where something that was written waits to be applied. */
  readonly applied: { readonly filter: boolean; readonly addresses: boolean; readonly routes: boolean };
};

/** The paths of the nouns, one object and all. */
export const nouns = {
  interface: "/interface",
  vip: "/firewall/virtual_ip",
  gateway: "/routing/gateway",
  route: "/routing/static_route",
  alias: "/firewall/alias",
  rule: "/firewall/rule",
  mapping: "/firewall/nat/outbound/mapping",
  tunable: "/system/tunable",
} as const;

const plurals = {
  alias: "/firewall/aliases",
  interface: "/interfaces",
} as const;

/** `/firewall/rules` of `/firewall/rule`. */
export function pluralOf(noun: keyof typeof nouns): string {
  return noun === "alias" || noun === "interface" ? plurals[noun] : `${nouns[noun]}s`;
}

export async function read(rest: Rest, signal?: AbortSignal): Promise<Reading> {
  const rows = async <T>(shape: z.ZodType<T>, path: string): Promise<readonly T[]> =>
    parse(rest, z.array(shape), path, await rest.list(path, {}, signal));
  const one = async <T>(shape: z.ZodType<T>, path: string): Promise<T> =>
    parse(rest, shape, path, await rest.read(path, {}, signal));
  const [interfaces, ports, vips, gateways, routes, aliases, rules, mappings, tunables, nat, defaults, ...applied] =
    await Promise.all([
      rows(interfaceRow, pluralOf("interface")),
      rows(portRow, "/interface/available_interfaces"),
      rows(vipRow, pluralOf("vip")),
      rows(gatewayRow, pluralOf("gateway")),
      rows(routeRow, pluralOf("route")),
      rows(aliasRow, pluralOf("alias")),
      rows(ruleRow, pluralOf("rule")),
      rows(mappingRow, pluralOf("mapping")),
      rows(tunableRow, pluralOf("tunable")),
      one(modeRow, "/firewall/nat/outbound/mode"),
      one(defaultRow, "/routing/gateway/default"),
      one(appliedRow, "/firewall/apply"),
      one(appliedRow, "/firewall/virtual_ip/apply"),
      one(appliedRow, "/interface/apply"),
      one(appliedRow, "/routing/apply"),
    ]);
  const [filter, virtual, links, routing] = applied.map((each) => each.applied);
  return {
    interfaces,
    ports,
    vips,
    gateways,
    routes,
    aliases,
    rules,
    mappings,
    tunables,
    natMode: nat.mode,
    defaults,
    applied: { filter: filter === true, addresses: virtual === true && links === true, routes: routing === true },
  };
}

function parse<T>({ name }: Rest, shape: z.ZodType<T>, path: string, found: unknown): T {
  return parseAnswer({ name, versions }, shape, path, found);
}

/** A row of one object as `read` has them. */
export function parseAlias(rest: Rest, row: Row): AliasRow {
  return parse(rest, aliasRow, nouns.alias, row);
}

/** An interface by what the package calls it: its id, its description or its device, as its settings say. */
export function interfaceBy(reading: Pick<Reading, "interfaces">, name: string): InterfaceRow | undefined {
  const { interfaces } = reading;
  return (
    interfaces.find(({ id }) => id === name) ??
    interfaces.find((each) => each.descr === name) ??
    interfaces.find((each) => each.if === name)
  );
}

export function interfaceOn(reading: Pick<Reading, "interfaces">, device: string): InterfaceRow | undefined {
  return reading.interfaces.find((each) => each.if === device);
}

/** The kernel's name of an interface that an object names; the name itself where there is none. */
export function deviceOf(reading: Pick<Reading, "interfaces">, name: string): string {
  return interfaceBy(reading, name)?.if ?? name;
}

/** An interface's own addresses with lengths, `dhcp` and the like as they are. */
export function ownAddresses({ typev4, ipaddr, subnet, typev6, ipaddrv6, subnetv6 }: InterfaceRow): OwnAddresses {
  return {
    ...(typev6 === undefined || typev6 === "none"
      ? {}
      : { six: typev6 === "staticv6" ? withLength(ipaddrv6, subnetv6) : typev6 }),
    ...(typev4 === undefined || typev4 === "none"
      ? {}
      : { four: typev4 === "static" ? withLength(ipaddr, subnet) : typev4 }),
  };
}

export function networkIn(reading: Reading): HeldNetwork {
  return {
    vips: reading.vips,
    hops: reading.gateways,
    routes: reading.routes.map((row) => ({ ...row, on: !row.disabled })),
    deviceOf: (name) => deviceOf(reading, name),
    ownAddresses(device) {
      const row = interfaceOn(reading, device);
      return row === undefined ? {} : ownAddresses(row);
    },
  };
}

/** The MAC address that the interface shows: the one it was told, else the NIC's own. */
export function macOf(reading: Pick<Reading, "ports">, row: InterfaceRow): string | undefined {
  const found = row.spoofmac ?? reading.ports.find((each) => each.if === row.if)?.mac;
  return found === undefined ? undefined : (parseMac(found) ?? found);
}

/** Entries of an alias, canonical and sorted, each once. */
export function entriesOf({ address }: Pick<AliasRow, "address">): readonly string[] {
  return [...new Set(canonicalEntries(address.filter((each) => each !== "")))];
}
