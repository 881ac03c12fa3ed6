import type { GatewayDesired } from "../../desired/desired.ts";
import { ownVips, routesAreIn } from "../pf/held-network.ts";
import { type InForce, networkOf } from "../pf/items.ts";
import { isLaneAlias, isMarked, mark } from "../pf/names.ts";
import type { Pfctl } from "../pf/pfctl.ts";
import { entriesOf, interfaceOn, networkIn, ownAddresses, type Reading } from "./reading.ts";

/** What runs, asked of pf and the kernel. */
export type Kernel = {
  tables(names: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Undefined without a shell. */
  readonly pfctl?: Pfctl;
};

/** What runs is compared with what is configured, as far as the device can be asked. */
export async function inForceOf(
  reading: Reading,
  desired: GatewayDesired,
  kernel: Kernel,
  signal?: AbortSignal,
): Promise<InForce> {
  const { applied } = reading;
  const aliases = reading.aliases.filter(({ name, descr }) => isMarked(descr ?? "") && !isLaneAlias(name));
  const tables = await kernel.tables(
    aliases.map(({ name }) => name),
    signal,
  );
  const sameTables = aliases.every((row) => {
    const there = tables.get(row.name);
    return there !== undefined && there.join(" ") === entriesOf(row).join(" ");
  });
  const { pfctl } = kernel;
  if (pfctl === undefined)
    return { addresses: applied.addresses, routes: applied.routes, rules: applied.filter, tables: sameTables };
  return {
    addresses: applied.addresses && (await sameAddresses(reading, desired, pfctl, signal)),
    routes: applied.routes && routesAreIn(networkIn(reading), await pfctl.routes(signal)),
    rules: await sameRules(reading, pfctl, signal),
    tables: sameTables,
  };
}

async function sameAddresses(
  reading: Reading,
  desired: GatewayDesired,
  pfctl: Pfctl,
  signal?: AbortSignal,
): Promise<boolean> {
  for (const { name } of networkOf(desired).links) {
    const there = new Set(await pfctl.addresses(name, signal));
    const row = interfaceOn(reading, name);
    const { six, four } = row === undefined || !row.enable ? {} : ownAddresses(row);
    const all = [...ownVips(networkIn(reading), name), six, four];
    if (all.some((each) => each?.includes("/") === true && !there.has(each))) return false;
  }
  return true;
}

/** By their trackers, which pf prints with each rule: our rules are all there, and no rule of ours is there any more. */
async function sameRules(reading: Reading, pfctl: Pfctl, signal?: AbortSignal): Promise<boolean> {
  const lines = await pfctl.rules(signal);
  const loaded = new Set(lines.flatMap((line) => trackerIn(line) ?? []));
  const marked = reading.rules.filter((row) => isMarked(row.descr ?? ""));
  const configured = new Set(marked.map((row) => String(row.tracker)));
  const ours = lines.filter((line) => line.includes(mark));
  const stale = ours.some((line) => !configured.has(trackerIn(line) ?? ""));
  return !stale && marked.every((row) => row.disabled || loaded.has(String(row.tracker)));
}

/** Since 2.7 a word of its own; before, a label. */
function trackerIn(line: string): string | undefined {
  return /ridentifier (\d+)/.exec(line)?.[1] ?? /label "id[:=](\d+)"/.exec(line)?.[1];
}
