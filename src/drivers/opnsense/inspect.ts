import { z } from "zod";
import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import type { ApiWay } from "../../runtime/way.ts";
import { type Inspected, inspectClock, inspectRights } from "../inspected.ts";
import { inspectRoom, roomBy } from "../pf/headroom.ts";
import { modelOf } from "../pf/policy.ts";
import { type Abilities, abilitiesAt, isNewerThanKnown } from "./abilities.ts";
import { type Core, coreAt } from "./api.ts";
import { paths } from "./reading.ts";

const page = "docs/gateway-opnsense.md";

/** Version and what its API can do of this plan, rights of the key, clock, and room in pf. Only asks. */
export async function inspectOpnSense(
  { http, shell }: ApiWay,
  desired: GatewayDesired,
  now: number,
  signal?: AbortSignal,
): Promise<readonly Inspected[]> {
  const core = coreAt(http);
  const abilities = await abilitiesAt(core, signal);
  const clock = inspectClock(http.clock(), now);
  return [
    versionOf(abilities),
    ...lacks(abilities, desired, shell !== undefined),
    inspectRights(await refused(core, abilities, signal), page, "a right to write is only told by a write (E553)"),
    clock,
    ...(await room(core, desired, shell, signal)),
  ];
}

function versionOf({ version }: Abilities): Inspected {
  const what = "OPNsense";
  const found = printable(version);
  if (!isNewerThanKnown(version)) return { what, found };
  return { what, found: `${found}, newer than 26.7, the last that this was written for`, note: true };
}

/** One line for each thing that this plan needs and the version's API has not. */
function lacks(abilities: Abilities, desired: GatewayDesired, shell: boolean): readonly Inspected[] {
  const found: Inspected[] = [];
  const pings = modelOf(desired).rules.some(({ match }) => match.kind === "echo");
  if (!abilities.icmp6Types && pings)
    found.push({
      what: "ping openings",
      found: "not by this version's API: a rule would let all of ICMPv6 in",
      code: "E609",
      fix: "update OPNsense to 26.1 or later, or take ping out of the openings",
    });
  if (!abilities.tunables && !shell)
    found.push({
      what: "kernel settings",
      found: "not by this version's API, and there is no exec",
      code: "E609",
      fix: "update OPNsense to 25.1 or later, or add exec: ssh:root@… to the gateway",
    });
  if (!abilities.ruleCounts && !shell)
    found.push({
      what: "loaded rules",
      found: "this version's API does not tell them, and there is no exec",
      note: true,
    });
  return found;
}

async function refused(core: Core, { tunables }: Abilities, signal?: AbortSignal): Promise<readonly string[]> {
  const searches = [
    paths.interfaces,
    `${paths.vips}/searchItem`,
    `${paths.gateways}/searchGateway`,
    `${paths.routes}/searchroute`,
    `${paths.aliases}/searchItem`,
    `${paths.rules}/searchRule`,
    `${paths.snat}/searchRule`,
    ...(tunables ? [`${paths.tunables}/searchItem`] : []),
  ].map((path) => ({ path, ask: () => core.search(path, undefined, signal) }));
  const gets = ["/firewall/alias_util/aliases", "/diagnostics/interface/get_routes"].map((path) => ({
    path,
    ask: () => core.get(path, signal),
  }));
  const missing: string[] = [];
  for (const { path, ask } of [...searches, ...gets]) {
    try {
      await ask();
    } catch (cause) {
      if (!(cause instanceof Failure) || cause.diagnostic.code !== "E553") throw cause;
      missing.push(path);
    }
  }
  return missing;
}

const tableSize = z.object({ size: z.coerce.number(), used: z.coerce.number() });

/** With a shell by pfctl(8). Without one the API tells the table entries, ours among them, and no limit of the states. */
async function room(
  core: Core,
  desired: GatewayDesired,
  shell: ApiWay["shell"],
  signal?: AbortSignal,
): Promise<readonly Inspected[]> {
  const menu = "Firewall > Settings > Advanced";
  const byShell = shell === undefined ? undefined : await roomBy(shell, signal);
  if (byShell !== undefined) return inspectRoom(byShell, desired, menu);
  try {
    const said = tableSize.safeParse(await core.get("/firewall/alias/getTableSize", signal));
    if (said.success) {
      const { size, used } = said.data;
      const states = { limit: Number.POSITIVE_INFINITY, used: 0 };
      return inspectRoom({ states, entries: { limit: size, used } }, desired, menu).slice(0, 1);
    }
  } catch (cause) {
    if (!(cause instanceof Failure) || !["E553", "E561"].includes(cause.diagnostic.code)) throw cause;
  }
  return [{ what: "room in pf", found: "not told", note: true }];
}
