import type { GatewayDesired } from "../../desired/desired.ts";
import type { Shell } from "../../runtime/shell.ts";
import type { Inspected } from "../inspected.ts";
import { modelOf } from "./policy.ts";

/** How much pf may hold, and how much it holds. `used` of table entries: what the plan does not speak of, so also what labels opened. */
export type PfRoom = {
  readonly states: { readonly limit: number; readonly used: number };
  readonly entries: { readonly limit: number; readonly used: number };
};

/** A reload has the old entries of a table and the new ones for a moment, so that a limit is used up at half of it. */
const copies = 2;
/** Above that share of the states an ordinary evening ends in refused connections. */
const fullAt = 0.8;

/** Entries of our tables as the plan has them. */
export function plannedEntries(desired: GatewayDesired): number {
  return modelOf(desired).aliases.reduce((sum, { entries }) => sum + entries.length, 0);
}

export function inspectRoom(room: PfRoom, desired: GatewayDesired, menu: string): readonly Inspected[] {
  const planned = plannedEntries(desired);
  const { states, entries } = room;
  const needed = copies * (entries.used + planned);
  const table: Inspected = {
    what: "table entries",
    found: `${entries.limit} at most; ${planned} planned, ${entries.used} besides`,
  };
  const flows: Inspected = { what: "states", found: `${states.used} of ${states.limit}` };
  return [
    needed <= entries.limit
      ? table
      : {
          ...table,
          code: "E612",
          fix: `set ${menu} > Firewall Maximum Table Entries to ${needed} or more: a reload needs the old and the new ones`,
        },
    states.used <= fullAt * states.limit
      ? flows
      : { ...flows, code: "E613", fix: `raise ${menu} > Firewall Maximum States, or find out who holds so many` },
  ];
}

/** By pfctl(8): `-sm` the limits, `-si` the states, `-vvsT` the tables. Undefined where one of them is not understood. */
export async function roomBy(shell: Shell, signal?: AbortSignal): Promise<PfRoom | undefined> {
  const said: string[] = [];
  for (const word of ["-sm", "-si", "-vvsT"]) {
    const ran = await shell.run(["pfctl", word], signal === undefined ? {} : { signal });
    if (ran.code !== 0) return undefined;
    said.push(ran.stdout);
  }
  const [limits = "", info = "", tables = ""] = said;
  const numbers = [
    /^states\s+hard limit\s+(\d+)/m.exec(limits),
    /^\s*current entries\s+(\d+)/m.exec(info),
    /^table-entries\s+hard limit\s+(\d+)/m.exec(limits),
  ].map((found) => Number(found?.[1] ?? Number.NaN));
  const [states = Number.NaN, used = Number.NaN, entries = Number.NaN] = numbers;
  if (numbers.some(Number.isNaN)) return undefined;
  return { states: { limit: states, used }, entries: { limit: entries, used: entriesOfOthers(tables) } };
}

/** `-pa-r--\tname` (the flags may be followed by an anchor), and below it `\tAddresses:   12`. */
function entriesOfOthers(text: string): number {
  let ours = false;
  let sum = 0;
  for (const line of text.split("\n")) {
    const [, name] = /^[-a-zA-Z]{6,8}\s+(\S+)/.exec(line) ?? [];
    if (name !== undefined) ours = /^sgf?_/.test(name);
    const [, count] = /^\s+Addresses:\s+(\d+)/.exec(line) ?? [];
    if (count !== undefined && !ours) sum += Number(count);
  }
  return sum;
}
