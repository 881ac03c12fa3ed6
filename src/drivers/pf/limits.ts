import type { Code } from "../../base/codes.ts";
import type { Diagnostic } from "../../base/diagnostic.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { contains, lengthOf, type Prefix } from "../../net/prefix.ts";
import { networkOf } from "./items.ts";
import { modelOf } from "./policy.ts";

/** pf's tables hold 400,000 entries as pfSense sets them, a million on OPNsense. What lies far below is safe on both. */
const mostOpenings = 50_000;

/** What neither product can do, or not safely. */
export function auditPf(desired: GatewayDesired): readonly Diagnostic[] {
  return [...interfaces(desired), ...blocks(desired), ...openings(desired), ...delivery(desired), ...logins(desired)];
}

export function error(code: Code, at: string, text: string, fix: string): Diagnostic {
  return { code, severity: "error", at, text, fix };
}

export function warning(code: Code, at: string, text: string, fix: string): Diagnostic {
  return { code, severity: "warning", at, text, fix };
}

function interfaces({ device, uplink, inside, management }: GatewayDesired): readonly Diagnostic[] {
  const named = [uplink, inside, ...(management === undefined ? [] : [management.device])];
  const twice = named.filter((name, i) => named.indexOf(name) !== i);
  // em0, vtnet1, igb0.100, lagg0, ixl2_vlan30: what FreeBSD and both products give them.
  const strange = named.filter((name) => !/^[a-z]+[0-9]+([._][a-z0-9]+)?$/.test(name));
  return [
    ...twice.map((name) =>
      error("E450", device, `Interface ${name} has two roles`, "give uplink, hosts and management an interface each"),
    ),
    ...strange.map((name) =>
      warning(
        "W450",
        device,
        `"${name}" is no name that FreeBSD gives to interfaces`,
        "name them as the device does, for example vtnet0: Interfaces > Assignments lists them",
      ),
    ),
  ];
}

function blocks(desired: GatewayDesired): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const taken = new Map<Prefix, string>();
  for (const { host, block } of desired.hosts) {
    const at = `${desired.device} ${host}`;
    if (lengthOf(block) !== desired.hostLength || !contains(desired.delegated, block))
      found.push(
        error(
          "E421",
          at,
          `Block ${block} is no /${desired.hostLength} in ${desired.delegated}`,
          "take the block from the delegated prefix",
        ),
      );
    const other = taken.get(block);
    if (other !== undefined)
      found.push(error("E421", at, `Block ${block} is ${other}'s too`, "give each host a block of its own"));
    taken.set(block, host);
  }
  return found;
}

function openings(desired: GatewayDesired): readonly Diagnostic[] {
  const blockOf = new Map<string, Prefix>(desired.hosts.map((each) => [each.host, each.block]));
  const found: Diagnostic[] = [];
  for (const { host, to, from } of desired.openings) {
    const block = blockOf.get(host);
    const at = `${desired.device} opening to ${to}`;
    if (block === undefined || !contains(block, to))
      found.push(error("E422", at, `Not in the block of ${host}`, "open an address of the host's own block"));
    if (from.length === 0) found.push(error("E422", at, "No source is let in", "name a source; anywhere is ::/0"));
  }
  if (desired.openings.length > mostOpenings)
    found.push(
      error(
        "E423",
        desired.device,
        `${desired.openings.length} openings, at most ${mostOpenings}`,
        "spread the containers over more gateways",
      ),
    );
  return found;
}

/** Both answer neighbour solicitations for addresses behind them by add-ons only, which no API of theirs sets up. */
function delivery(desired: GatewayDesired): readonly Diagnostic[] {
  if (networkOf(desired).links.every(({ proxies }) => proxies.length === 0)) return [];
  return [
    error(
      "E451",
      desired.device,
      "On-link delivery needs a gateway that answers for each address (NDP proxy)",
      "use a Linux gateway, or ask the provider to route the prefix",
    ),
  ];
}

function logins({ device, management }: GatewayDesired): readonly Diagnostic[] {
  if (management === undefined || management.admins.length === 0) return [];
  return [
    warning(
      "W451",
      device,
      "Who may log in on the management network is the device's own matter: admins has no effect there",
      "keep to its anti-lockout rule, or write rules of your own for it",
    ),
  ];
}

/** How many services are open: each an alias and a rule or two. */
export function serviceCount(desired: GatewayDesired): number {
  return modelOf(desired).aliases.filter(({ lane }) => lane === "members").length;
}

/** Neither product's API has rules for ports of SCTP. */
export function transports({ device, openings: all }: GatewayDesired, product: string): readonly Diagnostic[] {
  return all
    .filter(({ service }) => service.kind === "ports" && service.transport === "sctp")
    .map(({ to }) =>
      error(
        "E454",
        `${device} opening to ${to}`,
        `The API of ${product} has no rules for SCTP`,
        "use a Linux gateway for it, or tcp and udp",
      ),
    );
}
