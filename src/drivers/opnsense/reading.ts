import { z } from "zod";
import { Failure } from "../../base/failure.ts";
import { parseMac } from "../../net/mac.ts";
import { canonicalEntries, parseAnswer, text } from "../pf/answers.ts";
import { canonicalAddress, withLength } from "../pf/canonical.ts";
import type { HeldNetwork, OwnAddresses } from "../pf/held-network.ts";
import { type Abilities, abilitiesAt } from "./abilities.ts";
import { type Core, versions } from "./api.ts";

// What the device holds, as its configuration has it: rows of the API in our own words. Everything there is text; a switch
// is "1" or "0", and missing in versions that don't have it.

/** Grids give switches of gateways as booleans, others as text. */
const flag = z
  .union([z.string(), z.boolean()])
  .nullish()
  .transform((found) => found === true || found === "1");
const addresses = z.array(z.object({ ipaddr: z.string() })).optional();

const interfaceRow = z.object({
  device: z.string(),
  identifier: text,
  enabled: flag,
  macaddr: text,
  ipv4: addresses,
  ipv6: addresses,
  config: z
    .object({ descr: text, ipaddr: text, subnet: text, ipaddrv6: text, subnetv6: text, spoofmac: text })
    .optional(),
});
const vipRow = z.object({
  uuid: z.string(),
  interface: z.string(),
  mode: z.string(),
  subnet: z.string(),
  subnet_bits: z.string(),
  descr: text,
});
const gatewayRow = z.object({
  uuid: text,
  name: z.string(),
  descr: text,
  interface: z.string(),
  ipprotocol: z.string(),
  gateway: text,
  disabled: flag,
  /** Whether it is the default route at this moment. */
  defaultgw: flag,
  /** Whether somebody said that it may be. */
  upstream: flag,
});
const routeRow = z.object({
  uuid: z.string(),
  network: z.string(),
  gateway: text,
  descr: text,
  enabled: text,
  disabled: text,
});
const aliasRow = z.object({
  uuid: z.string(),
  enabled: flag,
  name: z.string(),
  type: z.string(),
  content: text,
  description: text,
});
const ruleRow = z.object({
  /** Rules that the product makes by itself have none. */
  uuid: text,
  enabled: flag,
  sequence: z
    .union([z.string(), z.number()])
    .nullish()
    .transform((found) => Number(found ?? 0)),
  action: text,
  quick: flag,
  interface: text,
  interfacenot: flag,
  direction: text,
  ipprotocol: text,
  protocol: text,
  icmp6type: text,
  source_net: text,
  source_not: flag,
  source_port: text,
  destination_net: text,
  destination_not: flag,
  destination_port: text,
  gateway: text,
  statetype: text,
  description: text,
});
const snatRow = z.object({
  uuid: text,
  enabled: flag,
  nonat: flag,
  interface: text,
  protocol: text,
  source_net: text,
  source_not: flag,
  destination_net: text,
  destination_not: flag,
  target: text,
  description: text,
});
const tunableRow = z.object({ uuid: text, tunable: z.string(), value: text, descr: text });

export type InterfaceRow = z.output<typeof interfaceRow>;
export type VipRow = z.output<typeof vipRow>;
export type GatewayRow = z.output<typeof gatewayRow>;
export type RouteRow = z.output<typeof routeRow>;
export type AliasRow = z.output<typeof aliasRow>;
export type RuleRow = z.output<typeof ruleRow>;
export type SnatRow = z.output<typeof snatRow>;
export type TunableRow = z.output<typeof tunableRow>;

/** One reading of the whole: not of one moment, so what is changed is looked at again. */
export type Reading = {
  readonly abilities: Abilities;
  readonly interfaces: readonly InterfaceRow[];
  readonly vips: readonly VipRow[];
  readonly gateways: readonly GatewayRow[];
  readonly routes: readonly RouteRow[];
  readonly aliases: readonly AliasRow[];
  readonly rules: readonly RuleRow[];
  readonly snat: readonly SnatRow[];
  /** By their names; of a version whose API has none, as the kernel has them. */
  readonly tunables: readonly TunableRow[];
};

export const paths = {
  interfaces: "/interfaces/overview/interfaces_info",
  vips: "/interfaces/vip_settings",
  gateways: "/routing/settings",
  routes: "/routes/routes",
  aliases: "/firewall/alias",
  rules: "/firewall/filter",
  snat: "/firewall/source_nat",
  tunables: "/core/tunables",
} as const;

/** `kernelTunables` is for versions whose API knows none: undefined without a shell. */
export async function read(
  core: Core,
  kernelTunables: ((signal?: AbortSignal) => Promise<readonly TunableRow[]>) | undefined,
  signal?: AbortSignal,
): Promise<Reading> {
  const abilities = await abilitiesAt(core, signal);
  const rows = async <T>(shape: z.ZodType<T>, path: string): Promise<readonly T[]> =>
    parse(core, z.array(shape), path, await core.search(path, undefined, signal));
  const [interfaces, vips, gateways, routes, aliases, rules, snat, tunables] = await Promise.all([
    rows(interfaceRow, paths.interfaces),
    rows(vipRow, `${paths.vips}/searchItem`),
    rows(gatewayRow, `${paths.gateways}/searchGateway`),
    rows(routeRow, `${paths.routes}/searchroute`),
    rows(aliasRow, `${paths.aliases}/searchItem`),
    rows(ruleRow, `${paths.rules}/searchRule`),
    rows(snatRow, `${paths.snat}/searchRule`),
    abilities.tunables ? rows(tunableRow, `${paths.tunables}/searchItem`) : kernelTunables?.(signal),
  ]);
  if (tunables === undefined)
    throw new Failure(
      "E561",
      core.name,
      `The API of OPNsense ${abilities.version} says nothing of kernel settings`,
      "update to 25.1 or later, or add exec: ssh:root@… to the gateway",
    );
  return { abilities, interfaces, vips, gateways, routes, aliases, rules, snat, tunables };
}

export function parse<T>({ name }: Core, shape: z.ZodType<T>, path: string, found: unknown): T {
  return parseAnswer({ name, versions }, shape, path, found);
}

export function interfaceOn(reading: Pick<Reading, "interfaces">, device: string): InterfaceRow | undefined {
  return reading.interfaces.find((each) => each.device === device && each.identifier !== undefined);
}

/** The kernel's name of an interface that an object names by its id; the id itself where there is none. */
export function deviceOf(reading: Pick<Reading, "interfaces">, id: string): string {
  return reading.interfaces.find(({ identifier }) => identifier === id)?.device ?? id;
}

/** An interface's own addresses as it is configured, with lengths; `dhcp6` and the like as they are. */
export function ownAddresses({ config }: InterfaceRow): OwnAddresses {
  const own = (address: string | undefined, length: string | undefined): string | undefined =>
    address === undefined || !/^[0-9a-f.:]+$/i.test(address) ? address : withLength(address, length);
  const [six, four] = [own(config?.ipaddrv6, config?.subnetv6), own(config?.ipaddr, config?.subnet)];
  return { ...(six === undefined ? {} : { six }), ...(four === undefined ? {} : { four }) };
}

/** Addresses that an interface has at this moment. */
export function liveAddresses({ ipv4 = [], ipv6 = [] }: InterfaceRow): ReadonlySet<string> {
  return new Set(
    [...ipv4, ...ipv6].map(({ ipaddr }) => {
      const [address, length] = ipaddr.split("/");
      return withLength(address, length);
    }),
  );
}

export function macOf({ macaddr }: InterfaceRow): string | undefined {
  return macaddr === undefined ? undefined : (parseMac(macaddr) ?? macaddr);
}

/** Whether a route is on, by whichever field the version has. */
export function isOn({ enabled, disabled }: RouteRow): boolean {
  return enabled === undefined ? disabled !== "1" : enabled === "1";
}

export function networkIn(reading: Reading): HeldNetwork {
  return {
    vips: reading.vips,
    hops: reading.gateways,
    routes: reading.routes.map((row) => ({ ...row, on: isOn(row) })),
    deviceOf: (id) => deviceOf(reading, id),
    ownAddresses(device) {
      const row = interfaceOn(reading, device);
      return row === undefined ? {} : ownAddresses(row);
    },
  };
}

/** Entries of an alias, canonical and sorted, each once: adding an entry that is there may list it twice. */
export function entriesOf({ content }: Pick<AliasRow, "content">): readonly string[] {
  const all = (content ?? "").split(/[\n,]/).filter((each) => each.trim() !== "");
  return [...new Set(canonicalEntries(all))];
}

/** The name of the gateway object for a next hop, ours or somebody's. */
export function gatewayOn(
  reading: Pick<Reading, "interfaces" | "gateways">,
  device: string,
  via: string,
): GatewayRow | undefined {
  return reading.gateways.find(
    (row) =>
      !row.disabled && deviceOf(reading, row.interface) === device && canonicalAddress(row.gateway ?? "") === via,
  );
}
