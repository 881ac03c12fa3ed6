import type { Code } from "../../base/codes.ts";
import type { Diagnostic } from "../../base/diagnostic.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { contains, lengthOf, type Prefix } from "../../net/prefix.ts";
import type { Opening } from "../../openings/opening.ts";
import { ceilingsOf } from "./ceiling.ts";
import { anywhere } from "./members.ts";
import { isInterfaceName } from "./ruleset.ts";

/** Openings of the fleet file: all in one hash set, which takes a second to read with so many. */
const mostStatic = 131_072;
/** Port ranges and named sources of the fleet file, and of a host's ceiling: in interval sets every packet's look-up takes longer. */
const mostIntervals = 4_096;

/** What nftables can't express, or can't express safely. */
export function audit(desired: GatewayDesired): readonly Diagnostic[] {
  return [
    ...interfaces(desired),
    ...hosts(desired),
    ...openings(desired),
    ...ceilings(desired),
    ...listener(desired),
    ...logins(desired),
  ];
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
  }
  const intervals = desired.openings.reduce((sum, each) => sum + intervalsOf(each), 0);
  if (desired.openings.length > mostStatic)
    found.push(
      error(
        "E423",
        desired.device,
        `${desired.openings.length} openings in the fleet file, at most ${mostStatic}`,
        "let containers ask by label, under `policy.openings`",
      ),
    );
  if (intervals > mostIntervals) {
    found.push(
      error(
        "E423",
        desired.device,
        `${intervals} port ranges and sources in the fleet file, at most ${mostIntervals}`,
        "open single ports to anywhere, or put sources together",
      ),
    );
  }
  return found;
}

/** A host's ceiling is in rules that every new flow to it may meet. */
function ceilings(desired: GatewayDesired): readonly Diagnostic[] {
  return ceilingsOf(desired).chains.flatMap(({ name, rules }) => {
    const elements = rules.reduce((sum, { text }) => sum + text.split(", ").length, 0);
    if (elements <= mostIntervals) return [];
    return error(
      "E425",
      `${desired.device} ${name}`,
      `Policy comes to ${elements} port ranges and sources for one host, at most ${mostIntervals}`,
      "allow fewer ranges, or put sources together",
    );
  });
}

function listener({ device, inside, management, controller }: GatewayDesired): readonly Diagnostic[] {
  if (controller === undefined || controller.device === inside || controller.device === management?.device) return [];
  return [
    error(
      "E424",
      device,
      `The controller can't listen on ${JSON.stringify(controller.device)}`,
      "let it listen on the management interface or on the hosts'",
    ),
  ];
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
