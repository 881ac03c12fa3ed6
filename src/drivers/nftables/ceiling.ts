import type { HostName } from "../../base/name.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import type { Address } from "../../net/address.ts";
import { formatPortRange, type PortRange } from "../../net/port.ts";
import { contains } from "../../net/prefix.ts";
import { type Transport, transports } from "../../net/transport.ts";
import type { Service } from "../../openings/opening.ts";
import type { AllowRule, OpeningPolicy } from "../../openings/policy.ts";
import { type Cell, cellsOf } from "./grants.ts";
import { anywhere, prefixText } from "./members.ts";
import { type Chain, nameOf, type Rule } from "./ruleset.ts";

/** Echo requests to one address, whoever asks. */
export const echoLimit = "update @echoes { ip6 daddr timeout 1m limit rate 100/second burst 200 packets }";

/**
 * What labels and people may open, as chains that every dynamic element has to pass: an element that policy does not
 * cover lets nothing in. Hosts with the same rules share one, which is named after the first of them: `ownerFor` says
 * after which.
 */
export type Ceilings = { readonly chains: readonly Chain[]; readonly ownerFor: (host: HostName) => HostName };

export function ceilingsOf({ hosts, policy }: GatewayDesired): Ceilings {
  const owners = new Map<HostName, HostName>();
  const byRules = new Map<string, HostName>();
  const chains: Chain[] = [];
  for (const { host } of hosts) {
    const rules = rulesFor(policy.openings, host);
    const key = rules.map((each) => policy.openings.allow.indexOf(each)).join(" ");
    const owner = byRules.get(key) ?? host;
    if (!byRules.has(key)) chains.push(ceiling(host, rules, policy.openings.never));
    byRules.set(key, owner);
    owners.set(host, owner);
  }
  return {
    chains,
    ownerFor(host) {
      const owner = owners.get(host);
      if (owner === undefined) throw new RangeError(`No ceiling for host ${JSON.stringify(host)}`);
      return owner;
    },
  };
}

export function ceilingName(owner: HostName): string {
  return `ceiling_${nameOf(owner)}`;
}

/** Whether policy lets labels or people open this at a host at all. `port` is absent for an echo request. */
export function isUnderCeiling(
  policy: OpeningPolicy,
  { host, transport, port, from }: { host: string; transport: string; port?: number; from: Address },
): boolean {
  const covers = (service: Service): boolean =>
    service.kind === "ping"
      ? port === undefined
      : service.transport === transport &&
        port !== undefined &&
        service.ports.first <= port &&
        service.ports.last >= port;
  return (
    !policy.never.some(covers) &&
    policy.allow.some(
      (rule) =>
        appliesTo(rule, host) && rule.services.some(covers) && rule.from.some((source) => contains(source, from)),
    )
  );
}

function rulesFor(policy: OpeningPolicy, host: HostName): readonly AllowRule[] {
  return policy.allow.filter((each) => appliesTo(each, host));
}

function appliesTo({ hosts }: AllowRule, host: string): boolean {
  return hosts === "all" || hosts.some((each) => each === host);
}

function ceiling(host: HostName, allow: readonly AllowRule[], never: readonly Service[]): Chain {
  const cells = transports.flatMap((transport) =>
    cellsOf(
      allow.flatMap(({ services, from }) => portsIn(services, transport).map((ports) => ({ ports, from }))),
      portsIn(never, transport),
    ).map((cell) => ({ transport, ...cell })),
  );
  return {
    name: ceilingName(host),
    why: `What labels and people may open at ${host} and at hosts with the same rules. An element beyond it opens nothing`,
    rules: [...portRules(cells), ...echoRules(allow, never)],
  };
}

function portsIn(services: readonly Service[], transport: Transport): readonly PortRange[] {
  return services.flatMap((each) => (each.kind === "ports" && each.transport === transport ? [each.ports] : []));
}

type TransportCell = Cell & { readonly transport: Transport };

/** Single ports to anyone are a hash look-up; what needs intervals is apart, so that the first stays one. */
function portRules(cells: readonly TransportCell[]): readonly Rule[] {
  const keyOf = ({ transport, ports }: TransportCell): string => `${transport} . ${formatPortRange(ports)}`;
  const wide = cells.filter((each) => each.from === anywhere);
  const single = wide.filter(({ ports }) => ports.first === ports.last).map(keyOf);
  const ranges = wide.filter(({ ports }) => ports.first !== ports.last).map(keyOf);
  const narrow = cells
    .filter((each) => each.from !== anywhere)
    .map((each) => `${keyOf(each)} . ${prefixText(each.from)}`);
  return [
    ...setRule("meta l4proto . th dport", single, "single ports that policy allows to anyone"),
    ...setRule("meta l4proto . th dport", ranges, "port ranges that policy allows to anyone"),
    ...setRule("meta l4proto . th dport . ip6 saddr", narrow, "ports that policy allows to some sources"),
  ];
}

function setRule(key: string, elements: readonly string[], why: string): readonly Rule[] {
  return elements.length === 0 ? [] : [{ text: `${key} { ${elements.join(", ")} } counter accept`, why }];
}

function echoRules(allow: readonly AllowRule[], never: readonly Service[]): readonly Rule[] {
  if (never.some((each) => each.kind === "ping")) return [];
  const echo = { first: 0, last: 0 };
  const cells = cellsOf(
    allow
      .filter(({ services }) => services.some((each) => each.kind === "ping"))
      .map(({ from }) => ({ ports: echo, from })),
  );
  if (cells.length === 0) return [];
  const from = cells.some((each) => each.from === anywhere)
    ? ""
    : ` ip6 saddr { ${cells.map((each) => prefixText(each.from)).join(", ")} }`;
  return [
    {
      text: `icmpv6 type echo-request${from} ${echoLimit} counter accept`,
      why: "echo requests that policy allows, as many a second as an address may get",
    },
  ];
}
