import { compareKeys } from "../../base/order.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { type Address, compareAddresses } from "../../net/address.ts";
import { baseOf, comparePrefixes, lengthOf, type Prefix } from "../../net/prefix.ts";
import { PrefixSet } from "../../net/prefix-set.ts";
import type { Service } from "../../openings/opening.ts";
import { anyPlace, at, notAt, type PfAlias, type PfModel, type PfPlace, type PfRule } from "./model.ts";
import { isAnywhere, type Lane, serviceAlias, sourceAlias } from "./names.ts";

/** What pf lets through, made of few rules: containers are entries of aliases, never rules. Pure. */
export function modelOf(desired: GatewayDesired): PfModel {
  const services = servicesOf(desired);
  const aliases = [...fixedAliases(desired), ...services.flatMap(({ alias, sources }) => [...sources, alias])];
  const rules = [...blocks(desired), ...passes(desired), ...services.flatMap(({ rules: own }) => own)];
  return {
    aliases: uniqueBy(aliases, ({ name }) => name),
    rules: uniqueBy(rules, ({ name }) => name),
  };
}

/** The names of the aliases that hold for every fleet. */
export const fixed = { hosts: "sg_hosts", own: "sg_own", never: "sg_never", nowhere: "sg_nowhere" } as const;

function fixedAliases(desired: GatewayDesired): readonly PfAlias[] {
  const { bogons, delegated, hosts, own } = desired;
  return [
    networks(
      fixed.hosts,
      hosts.map(({ block }) => block),
      "the blocks of the hosts",
    ),
    {
      name: fixed.own,
      type: "host",
      // A router answers to the first address of each prefix on its links as well (RFC 4291 §2.6.1).
      entries: [...new Set([...own, ...hosts.map(({ link }) => baseOf(link))])].sort(compareAddresses),
      lane: "structure",
      about: "the gateway's own public addresses",
    },
    networks(fixed.never, [...bogons, delegated], "sources that no packet from outside has"),
    networks(fixed.nowhere, bogons, "destinations that are not on the Internet"),
  ];
}

function networks(name: string, prefixes: readonly Prefix[], about: string): PfAlias {
  const entries = PrefixSet.of(prefixes).prefixes().toSorted(comparePrefixes);
  return { name, type: "network", entries, lane: "structure", about };
}

function blocks({ uplink, inside }: GatewayDesired): readonly PfRule[] {
  const block = (name: string, on: string, from: PfPlace, to: PfPlace): PfRule => ({
    name,
    action: "block",
    first: true,
    on,
    match: { kind: "any" },
    from,
    to,
  });
  return [
    block("block outside never", uplink, at(fixed.never), anyPlace),
    block("block inside spoofed", inside, notAt(fixed.hosts), anyPlace),
    // The gateway's address on a host's link is in that host's block, and no host has it.
    block("block inside own", inside, at(fixed.own), anyPlace),
    block("block inside nowhere", inside, anyPlace, at(fixed.nowhere)),
    {
      ...block("block inside gateway", inside, anyPlace, at(fixed.own)),
      // Echo and errors to the gateway itself stay.
      match: { kind: "transports" },
    },
  ];
}

function passes({ inside, delegated, policy }: GatewayDesired): readonly PfRule[] {
  const pass = (name: string, to: PfPlace): PfRule => ({
    name,
    action: "pass",
    first: false,
    on: inside,
    match: { kind: "any" },
    from: at(fixed.hosts),
    to,
  });
  return [
    ...(policy.egress === "open" ? [pass("pass inside leaving", notAt(delegated))] : []),
    ...(policy.betweenHosts === "open" ? [pass("pass inside between", at(fixed.hosts))] : []),
  ];
}

/** What one service to the same sources takes: its alias, the alias of its sources where there are several, its rules. */
export type ServiceModel = {
  readonly alias: PfAlias;
  readonly sources: readonly PfAlias[];
  readonly rules: readonly PfRule[];
};

function servicesOf(desired: GatewayDesired): readonly ServiceModel[] {
  const groups = new Map<string, { service: Service; from: readonly Prefix[]; to: Address[] }>();
  for (const { service, from, to } of desired.openings) {
    const name = serviceAlias("f", service, from);
    const there = groups.get(name);
    if (there === undefined) groups.set(name, { service, from, to: [to] });
    else there.to.push(to);
  }
  return [...groups.values()].map(({ service, from, to }) => serviceModel(desired, "f", service, from, to));
}

/**
 * A service is open to the outside; to the hosts too where they don't reach each other anyway. A rule an interface: rules
 * of an interface never depend on their order, and pfSense adds the way back to those of the uplink.
 */
export function serviceModel(
  desired: Pick<GatewayDesired, "uplink" | "inside" | "policy">,
  lane: Lane,
  service: Service,
  from: readonly Prefix[],
  to: readonly Address[],
): ServiceModel {
  const name = serviceAlias(lane, service, from);
  const [only] = from;
  // The lane reads its sources from the kernel: always from a table.
  const several = !isAnywhere(from) && (from.length > 1 || lane !== "f");
  const sources = sourceAlias(lane, from);
  const source = isAnywhere(from) || only === undefined ? anyPlace : at(several ? sources : entryOf(only));
  const rule = (side: string, on: string): PfRule => ({
    name: `pass ${side} ${name}`,
    action: "pass",
    first: false,
    on,
    match:
      service.kind === "ping"
        ? { kind: "echo" }
        : { kind: "ports", transport: service.transport, first: service.ports.first, last: service.ports.last },
    from: source,
    to: at(name),
  });
  return {
    alias: {
      name,
      type: "host",
      entries: [...new Set(to)].sort(compareAddresses),
      lane: "members",
      about: lane === "f" ? "opened by the fleet file" : "opened by labels and people",
    },
    sources: several ? [networks(sources, from, "sources of an opening")] : [],
    rules: [
      rule("outside", desired.uplink),
      ...(desired.policy.betweenHosts === "closed" ? [rule("inside", desired.inside)] : []),
    ],
  };
}

/** A prefix as an entry: of one address without its length. */
export function entryOf(p: Prefix): string {
  return lengthOf(p) === 128 ? baseOf(p) : p;
}

function uniqueBy<T extends { readonly name: string }>(all: readonly T[], key: (each: T) => string): readonly T[] {
  const found = new Map(all.map((each) => [key(each), each]));
  return [...found.values()].sort((a, b) => compareKeys(a.name, b.name));
}
