import { z } from "zod";
import type { GatewayDesired } from "../../desired/desired.ts";
import { canonicalEntries, notUnderstood } from "../pf/answers.ts";
import { canonicalAddress, canonicalPrefix } from "../pf/canonical.ts";
import { ownVips, routesAreIn } from "../pf/held-network.ts";
import { type InForce, networkOf } from "../pf/items.ts";
import { isLaneAlias, isMarked } from "../pf/names.ts";
import type { Pfctl } from "../pf/pfctl.ts";
import { type Core, isRow, versions } from "./api.ts";
import { entriesOf, interfaceOn, liveAddresses, networkIn, ownAddresses, parse, type Reading } from "./reading.ts";

/** What runs, asked of pf and the kernel. */
export type Kernel = {
  /** Entries of tables, sorted; a table that is not there is missing in the map. */
  tables(names: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Labels of the rules that are loaded: for rules of the API their uuids. Undefined where this can't be asked. */
  labels(reading: Reading, signal?: AbortSignal): Promise<ReadonlySet<string> | undefined>;
  /** IPv6 destinations with their next hops, without zones. */
  routes(signal?: AbortSignal): Promise<ReadonlyMap<string, string>>;
};

/** By the API alone, or by pfctl(8) where there is a shell: one question instead of one for each alias. */
export function kernelAt(core: Core, pfctl: Pfctl | undefined): Kernel {
  return {
    tables: (names, signal) => (pfctl === undefined ? tablesBy(core, names, signal) : pfctl.tables(names, signal)),
    routes: (signal) => routesBy(core, signal),
    async labels(reading, signal) {
      if (pfctl !== undefined)
        return new Set((await pfctl.rules(signal)).flatMap((line) => /label "([^"]+)"/.exec(line)?.[1] ?? []));
      const labels = await labelsBy(core, signal);
      // Older versions count by other labels only, so that ours would never be there.
      const known = reading.abilities.ruleCounts || [...labels].some((each) => each.includes("-"));
      return known ? labels : undefined;
    },
  };
}

/** Rows of one answer: a table is read in pages, for the oldest versions give no more than was asked, and never all. */
const page = 5000;
const tablePage = z.object({ total: z.number(), rows: z.array(z.object({ ip: z.string() })) });

async function tablesBy(
  core: Core,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const there = await core.get("/firewall/alias_util/aliases", signal);
  if (!Array.isArray(there)) throw notUnderstood({ name: core.name, versions }, "/firewall/alias_util/aliases");
  const known = new Set(there.map(String));
  const found = new Map<string, readonly string[]>();
  for (const name of names) if (known.has(name)) found.set(name, await tableBy(core, name, signal));
  return found;
}

export async function tableBy(core: Core, name: string, signal?: AbortSignal): Promise<readonly string[]> {
  const path = `/firewall/alias_util/list/${name}`;
  const entries: string[] = [];
  for (let current = 1; ; current++) {
    const said = parse(core, tablePage, path, await core.ask(path, { rowCount: page, current }, signal));
    entries.push(...said.rows.map(({ ip }) => ip));
    if (said.rows.length === 0 || entries.length >= said.total) return canonicalEntries(entries);
  }
}

async function labelsBy(core: Core, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const said = await core.get("/firewall/filter_util/rule_stats", signal);
  const stats = isRow(said) ? said["stats"] : undefined;
  // No rule at all is a list in PHP.
  if (isRow(stats)) return new Set(Object.keys(stats));
  if (Array.isArray(stats) && stats.length === 0) return new Set();
  throw notUnderstood({ name: core.name, versions }, "/firewall/filter_util/rule_stats");
}

const routeRows = z.array(z.object({ destination: z.string(), gateway: z.string() }));

async function routesBy(core: Core, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const path = "/diagnostics/interface/get_routes";
  const said = await core.get(path, signal);
  const rows = parse(core, routeRows, path, isRow(said) ? said["rows"] : said);
  const found = new Map<string, string>();
  for (const { destination, gateway } of rows) {
    const six = gateway.includes(":") || destination.includes(":");
    const to =
      destination === "default" ? (six ? "::/0" : "0.0.0.0/0") : canonicalPrefix(destination.replace(/%[^/]*/, ""));
    if (!found.has(to)) found.set(to, canonicalAddress(gateway));
  }
  return found;
}

/** `gone`: uuids of rules that we removed, which may still be loaded. */
export async function inForceOf(
  reading: Reading,
  desired: GatewayDesired,
  { kernel, gone }: { readonly kernel: Kernel; readonly gone: ReadonlySet<string> },
  signal?: AbortSignal,
): Promise<InForce> {
  const aliases = reading.aliases.filter(
    ({ name, description, enabled }) => enabled && isMarked(description ?? "") && !isLaneAlias(name),
  );
  const names = aliases.map(({ name }) => name);
  const [tables, labels, routes] = await Promise.all([
    kernel.tables(names, signal),
    kernel.labels(reading, signal),
    kernel.routes(signal),
  ]);
  const rules = reading.rules.filter(({ description }) => isMarked(description ?? ""));
  return {
    addresses: sameAddresses(reading, desired),
    routes: routesAreIn(networkIn(reading), routes),
    rules:
      labels === undefined ||
      (rules.every(({ uuid, enabled }) => !enabled || labels.has(uuid ?? "")) &&
        // One that was put back since is there by right.
        [...gone].every((uuid) => !labels.has(uuid) || reading.rules.some((row) => row.uuid === uuid))),
    tables: aliases.every((row) => tables.get(row.name)?.join(" ") === entriesOf(row).join(" ")),
  };
}

function sameAddresses(reading: Reading, desired: GatewayDesired): boolean {
  return networkOf(desired).links.every(({ name }) => {
    const row = interfaceOn(reading, name);
    if (row === undefined || !row.enabled) return true;
    const there = liveAddresses(row);
    const { six, four } = ownAddresses(row);
    return [...ownVips(networkIn(reading), name), six, four].every(
      (each) => each?.includes("/") !== true || there.has(each),
    );
  });
}
