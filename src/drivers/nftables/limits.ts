import type { Code } from "../../base/codes.ts";
import type { Diagnostic } from "../../base/diagnostic.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { contains, lengthOf, type Prefix } from "../../net/prefix.ts";
import type { Opening } from "../../openings/opening.ts";
import { isInterfaceName } from "./ruleset.ts";
import { anywhere } from "./sets.ts";

/** Openings of one host. A set of so many is read back in well under a second, a million in one set takes a minute. */
const mostPerHost = 65_536;
/** Port ranges and named sources of one host: they are in an interval set, where deletions take 2 µs per element there. */
const mostIntervals = 4_096;

/** What nftables can't express, or can't express safely. */
export function audit(desired: GatewayDesired): readonly Diagnostic[] {
  return [...interfaces(desired), ...hosts(desired), ...openings(desired), ...logins(desired)];
}

function interfaces({ device, uplink, inside, management, nat4 }: GatewayDesired): readonly Diagnostic[] {
  const named = [uplink, inside, ...(management === undefined ? [] : [management.device])];
  const all = new Set([...named, ...(nat4 === undefined ? [] : [nat4.inside, nat4.uplink])]);
  const bad = [...all].filter((name) => !isInterfaceName(name));
  const twice = named.filter((name, i) => named.indexOf(name) !== i);
  return [
    ...bad.map((name) =>
      error(
        "E420",
        device,
        `Not an interface name: ${JSON.stringify(name)}`,
        "use the kernel's name: up to 15 letters, digits, `.`, `_` or `-`",
      ),
    ),
    ...twice.map((name) =>
      error(
        "E420",
        device,
        `Interface ${JSON.stringify(name)} has two roles`,
        "give uplink, hosts and management an interface each",
      ),
    ),
  ];
}

function hosts(desired: GatewayDesired): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const [blocks, names] = [new Map<Prefix, string>(), new Set<string>()];
  for (const { host, block } of desired.hosts) {
    const at = `${desired.device} ${host}`;
    if (lengthOf(block) !== desired.hostLength) {
      found.push(
        error("E421", at, `Block ${block} is no /${desired.hostLength}`, "give every host a block of the same length"),
      );
    } else if (!contains(desired.delegated, block)) {
      found.push(
        error("E421", at, `Block ${block} isn't in ${desired.delegated}`, "take the block from the delegated prefix"),
      );
    }
    const other = blocks.get(block);
    if (other !== undefined)
      found.push(error("E421", at, `Block ${block} is ${other}'s too`, "give each host a block of its own"));
    blocks.set(block, host);
    if (names.has(host)) found.push(error("E421", at, "The host is there twice", "name each host once"));
    names.add(host);
  }
  return found;
}

function openings(desired: GatewayDesired): readonly Diagnostic[] {
  const blocks = new Map<string, Prefix>(desired.hosts.map((each) => [each.host, each.block]));
  const found: Diagnostic[] = [];
  const counts = new Map<string, { all: number; intervals: number }>();
  for (const opening of desired.openings) {
    const block = blocks.get(opening.host);
    const at = `${desired.device} opening to ${opening.to}`;
    if (block === undefined || !contains(block, opening.to)) {
      const text =
        block === undefined
          ? `Host ${JSON.stringify(opening.host)} isn't behind this gateway`
          : `Not in ${opening.host}'s block ${block}`;
      found.push(error("E422", at, text, "open an address of the host's own block"));
    }
    if (opening.from.length === 0)
      found.push(error("E422", at, "No source is let in", "name a source; anywhere is ::/0"));
    const count = counts.get(opening.host) ?? { all: 0, intervals: 0 };
    counts.set(opening.host, { all: count.all + 1, intervals: count.intervals + intervalsOf(opening) });
  }
  for (const [host, { all, intervals }] of counts) {
    const at = `${desired.device} ${host}`;
    if (all > mostPerHost)
      found.push(
        error("E423", at, `${all} openings, at most ${mostPerHost} per host`, "spread the containers over more hosts"),
      );
    if (intervals > mostIntervals) {
      found.push(
        error(
          "E423",
          at,
          `${intervals} port ranges and sources, at most ${mostIntervals} per host`,
          "open single ports to anywhere, or put sources together",
        ),
      );
    }
  }
  return found;
}

function intervalsOf({ service, from }: Opening): number {
  const single = service.kind === "ping" || service.ports.first === service.ports.last;
  return single && from.includes(anywhere) ? 0 : from.length;
}

function logins({ device, management }: GatewayDesired): readonly Diagnostic[] {
  if (management !== undefined && management.admins.length > 0) return [];
  const text =
    management === undefined
      ? "The gateway has no management interface"
      : "The gateway's management interface lets nobody log in";
  return [
    {
      code: "W420",
      severity: "warning",
      at: device,
      text: `${text}: only its console is left`,
      fix: "give the gateway a management interface and name `admins`",
    },
  ];
}

function error(code: Code, at: string, text: string, fix: string): Diagnostic {
  return { code, severity: "error", at, text, fix };
}
