import { createHash } from "node:crypto";
import { Failure } from "../../base/failure.ts";
import type { Seconds } from "../../base/time.ts";
import { type Change, type ChangeSet, keyOf } from "../../change/change-set.ts";
import { diff } from "../../change/diff.ts";
import { equalValues } from "../../change/equal.ts";
import type { Item } from "../../change/item.ts";
import type { Shell } from "../../runtime/shell.ts";
import type { Driver, Pending } from "../driver.ts";
import { goBack } from "../go-back.ts";
import { armHeldWatchdog, type HeldWatchdog } from "../held-watchdog.ts";
import type { Exec } from "./exec.ts";
import { allInForce, type InForce, inForceItem, sorted } from "./items.ts";
import { hashOf } from "./names.ts";
import { fieldOf, type Target, targetOf } from "./target.ts";

/** What a device holds: as its configuration has it, as items, and whether that is what runs. */
export type Look<Reading> = { readonly reading: Reading; readonly items: readonly Item[]; readonly inForce: InForce };

/** One round of writing. */
export type Round<Reading> = {
  readonly seen: Look<Reading>;
  readonly target: Target;
  /** What is to be applied even where nothing is written. */
  readonly forced: Readonly<Record<keyof InForce, boolean>>;
  /** Where the device keeps what it had; undefined where it keeps nothing. */
  readonly kept?: string;
  /** To be called before each write: the device's dead-man begins its time anew. */
  readonly hold: HeldWatchdog["hold"];
};

/** A firewall by its API, with a shell for what must happen without us. */
export type PfDevice<Reading> = {
  /** For messages. */
  readonly name: string;
  /** Begins the ids of undos: `pfsense`. */
  readonly product: string;
  readonly shell?: Shell;
  readonly exec?: Exec;
  /** As `observe` reports it when all is as the fleet has it. */
  readonly wanted: readonly Item[];
  look(signal?: AbortSignal): Promise<Look<Reading>>;
  /** Before anything is written: rejects where the device can't do it all. */
  refuse?(seen: Look<Reading>, target: Target): void;
  /** Keeps on the device, under an id, what `exec` puts back. */
  keep(exec: Exec, id: string, seen: Look<Reading>, signal?: AbortSignal): Promise<void>;
  /** Makes the device as the target has it, in an order in which nothing is missed. Safe to call again. */
  bring(round: Round<Reading>, signal?: AbortSignal): Promise<void>;
};

/** How often what others overwrote meanwhile is written again. */
const rounds = 3;

export function pfDriver<Reading>(device: PfDevice<Reading>): Driver {
  return {
    async observe(signal) {
      const { items } = await device.look(signal);
      return { items, revision: revisionOf(items) };
    },
    apply: (set, confirmWithin, signal) => apply(device, set, confirmWithin, signal),
  };
}

function revisionOf(items: readonly Item[]): string {
  const hash = createHash("sha256");
  for (const { key, value } of items) hash.update(`${key}\0${JSON.stringify(value)}\0`);
  return hash.digest("hex").slice(0, 32);
}

async function apply<R>(
  device: PfDevice<R>,
  set: ChangeSet,
  confirmWithin: Seconds,
  signal?: AbortSignal,
): Promise<Pending> {
  const { exec, name } = device;
  const before = await device.look(signal);
  if (revisionOf(before.items) !== set.base)
    throw new Failure("E510", name, "What we own on the device changed since the plan", "plan again");
  refuseStrange(device, set);
  const target = sorted(patched(before.items, set.changes));
  device.refuse?.(before, targetOf(target));
  const structural = set.changes.some(
    (each) => (each.kind === "delete" ? each.before : each.after).lane === "structure",
  );
  await exec?.check(signal);
  await exec?.install();
  const id = `${device.product}-${hashOf(`${set.base} ${JSON.stringify(set.changes)}`)}-${Date.now().toString(36)}`;
  const armed = exec !== undefined && structural;
  const undo = armed
    ? await arm(device, { exec, id, confirmWithin, before }, signal)
    : { ...inverse(device, before), hold: async () => {} };
  try {
    await converge(device, { target, hold: undo.hold, ...(armed ? { kept: id } : {}) }, signal);
    await undo.hold(signal);
  } catch (cause) {
    return goBack(name, undo, cause, AbortSignal.timeout(200_000));
  }
  return undo;
}

/** The set has to be of this fleet: everything that it makes is what the fleet wants. */
function refuseStrange<R>({ wanted, name }: PfDevice<R>, set: ChangeSet): void {
  const values = new Map(wanted.map((item) => [item.key, item.value]));
  const strange = set.changes.find((change) => {
    if (change.kind === "delete") return values.has(change.before.key);
    const value = values.get(change.after.key);
    return value === undefined || !equalValues(value, change.after.value);
  });
  if (strange === undefined) return;
  throw new Failure(
    "E511",
    name,
    `The plan's "${keyOf(strange)}" isn't the fleet's`,
    "plan again from the same fleet file",
  );
}

function patched(items: readonly Item[], changes: readonly Change[]): readonly Item[] {
  const byKey = new Map(items.map((each) => [each.key, each]));
  for (const change of changes) {
    if (change.kind === "delete") byKey.delete(change.before.key);
    else byKey.set(change.after.key, change.after);
  }
  return [...byKey.values()];
}

type Arming<R> = {
  readonly exec: Exec;
  readonly id: string;
  readonly confirmWithin: Seconds;
  readonly before: Look<R>;
};

/** The device keeps what is ours and puts it back by itself. Also after a restart: the new state is written by then. */
async function arm<R>(
  device: PfDevice<R>,
  { exec, id, confirmWithin, before }: Arming<R>,
  signal?: AbortSignal,
): Promise<HeldWatchdog> {
  const { shell } = device;
  if (shell === undefined) throw new RangeError("no shell to arm an undo with");
  await device.keep(exec, id, before, signal);
  let undo: HeldWatchdog | undefined;
  try {
    undo = await armHeldWatchdog(shell, { id, undo: exec.undoOf(id), after: confirmWithin, folder: exec.folder });
    await exec.atBoot();
  } catch (cause) {
    // Nothing was written yet.
    await undo?.confirm().catch(() => undefined);
    await exec.forget(id).catch(() => undefined);
    throw cause;
  }
  const armed = undo;
  return {
    hold: armed.hold,
    async confirm(by) {
      await armed.confirm(by);
      await exec.forget(id);
    },
    async rollback(by) {
      await armed.rollback(by);
      // It takes its things away itself; what was written while it ran is left.
      await exec.forget(id).catch(() => undefined);
      // What the API was still at when the device went back may have been written after it.
      const { items } = await device.look(by);
      if ([before.items, wholly(before)].some((old) => diff(items, old).length === 0)) return;
      await converge(device, { target: wholly(before) }, by);
    },
  };
}

/** What was not in force before need not be so again. */
function wholly({ items }: { readonly items: readonly Item[] }): readonly Item[] {
  return items.map((item) => (item.key === "in force" ? inForceItem(allInForce) : item));
}

/** Where nobody on the device can undo it, and for openings alone: back by the same way, as long as we are here. */
function inverse<R>(device: PfDevice<R>, before: Look<R>): Pending {
  let settled: "confirmed" | "undone" | undefined;
  return {
    async confirm() {
      if (settled === "undone")
        throw new Failure("E514", device.name, "The change was taken back already", "plan and apply again");
      settled = "confirmed";
    },
    async rollback(signal) {
      if (settled === "confirmed")
        throw new Failure("E516", device.name, "Confirmed already", "plan and apply the change back");
      settled = "undone";
      await converge(device, { target: wholly(before) }, signal);
    },
  };
}

type Goal = { readonly target: readonly Item[]; readonly kept?: string; readonly hold?: HeldWatchdog["hold"] };

/**
 * Writes, reads back, and writes again what somebody else's write took away: the API has no transaction. Rejects with
 * E512 when something is still not as it should be.
 */
async function converge<R>(
  device: PfDevice<R>,
  { target, kept, hold = async () => {} }: Goal,
  signal?: AbortSignal,
): Promise<void> {
  const goal = targetOf(target);
  let seen = await device.look(signal);
  let left = diff(seen.items, target);
  for (let round = 0; round < rounds && left.length > 0; round++) {
    const forced = forcedBy(seen.inForce, goal);
    await device.bring({ seen, target: goal, forced, hold, ...(kept === undefined ? {} : { kept }) }, signal);
    seen = await device.look(signal);
    left = diff(seen.items, target);
  }
  if (left.length === 0) return;
  const keys = left.slice(0, 3).map(keyOf).join("; ");
  const loaded = left.every((each) => keyOf(each) === "in force");
  const text = loaded
    ? `The device says that it applied the change, but it is not in force: ${notInForce(seen.inForce)}`
    : `Not as planned after ${rounds} attempts: ${keys}${left.length > 3 ? ` and ${left.length - 3} more` : ""}`;
  throw new Failure(
    "E512",
    device.name,
    text,
    loaded
      ? "look at the notices on the device: the rules may not load"
      : "somebody else changes the device at the same time",
  );
}

function notInForce(state: InForce): string {
  return Object.entries(state)
    .filter(([, there]) => !there)
    .map(([what]) => what)
    .join(", ");
}

function forcedBy(state: InForce, target: Target): Round<unknown>["forced"] {
  const lacks = (what: keyof InForce): boolean => !state[what] && fieldOf(target.value("in force"), what) === true;
  return { addresses: lacks("addresses"), routes: lacks("routes"), rules: lacks("rules"), tables: lacks("tables") };
}
