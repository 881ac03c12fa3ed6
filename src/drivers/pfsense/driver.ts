import { Failure } from "../../base/failure.ts";
import type { Seconds } from "../../base/time.ts";
import { type Change, type ChangeSet, keyOf } from "../../change/change-set.ts";
import { diff } from "../../change/diff.ts";
import { equalValues } from "../../change/equal.ts";
import type { Item } from "../../change/item.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { apiOf, type Way } from "../../runtime/way.ts";
import type { Driver, DriverKind, Observed, Pending } from "../driver.ts";
import { goBack } from "../go-back.ts";
import { armHeldWatchdog, type HeldWatchdog } from "../held-watchdog.ts";
import { allInForce, type InForce, inForceItem, networkOf, sorted } from "../pf/items.ts";
import { hashOf } from "../pf/names.ts";
import { pfctlAt } from "../pf/pfctl.ts";
import { type Rest, restAt } from "./api.ts";
import { bring } from "./bring.ts";
import { normalize } from "./convert.ts";
import { type Exec, execAt } from "./exec.ts";
import { heldExec, heldRest } from "./held.ts";
import { audit, consequences } from "./limits.ts";
import { inForceOf, itemsIn, type Kernel, revisionOf } from "./observe.ts";
import { folder } from "./program.ts";
import { interfaceOn, type Reading, read } from "./reading.ts";
import { render, renderInto } from "./render.ts";
import { tablesBy } from "./tables.ts";
import { fieldOf, targetOf } from "./target.ts";
import type { Work } from "./work.ts";

/** pfSense CE and Plus through the REST API package (pfREST v2), with a root shell for what that lacks. */
export const pfsense: DriverKind<GatewayDesired> = {
  name: "pfsense",
  layer: "gateway",
  undo: "watchdog",
  audit,
  normalize,
  render,
  renderInto,
  consequences,
  at: (way, desired) => pfsenseAt(way, desired),
};

/** How often what others overwrote meanwhile is written again. */
const rounds = 3;
/** Two rules of one second share a tracker. */
const usualPace = 1100;

type Device = {
  readonly rest: Rest;
  readonly kernel: Kernel;
  readonly exec?: Exec;
  readonly way: Way;
  readonly pace: number;
};

type Look = { readonly reading: Reading; readonly items: readonly Item[]; readonly inForce: InForce };

/** `pace` is for tests, whose clock is another. */
export function pfsenseAt(way: Way, desired: GatewayDesired, pace: number = usualPace): Driver {
  const { http, shell } = apiOf(way);
  const rest = restAt(http);
  const pfctl = shell === undefined ? undefined : pfctlAt(shell);
  const device: Device = {
    rest,
    way,
    pace,
    kernel:
      pfctl === undefined
        ? { tables: tablesBy(rest) }
        : { tables: (names, signal) => pfctl.tables(names, signal), pfctl },
    ...(shell === undefined ? {} : { exec: execAt(shell) }),
  };
  return {
    async observe(signal) {
      const { items } = await look(device, desired, signal);
      return { items, revision: revisionOf(items) } satisfies Observed;
    },
    apply: (set, confirmWithin, signal) => apply(device, desired, set, confirmWithin, signal),
  };
}

async function look({ rest, kernel }: Device, desired: GatewayDesired, signal?: AbortSignal): Promise<Look> {
  const reading = await read(rest, signal);
  const inForce = await inForceOf(reading, desired, kernel, signal);
  return { reading, items: itemsIn(reading, desired, inForce), inForce };
}

async function apply(
  device: Device,
  desired: GatewayDesired,
  set: ChangeSet,
  confirmWithin: Seconds,
  signal?: AbortSignal,
): Promise<Pending> {
  const { rest, exec } = device;
  const before = await look(device, desired, signal);
  if (revisionOf(before.items) !== set.base)
    throw new Failure("E510", rest.name, "What we own on the device changed since the plan", "plan again");
  refuseStrange(rest, desired, set);
  const target = sorted(patched(before.items, set.changes));
  const structural = set.changes.some(
    (each) => (each.kind === "delete" ? each.before : each.after).lane === "structure",
  );
  await exec?.check(signal);
  await exec?.install();
  const id = `pfsense-${hashOf(`${set.base} ${JSON.stringify(set.changes)}`)}-${Date.now().toString(36)}`;
  const armed = exec !== undefined && structural;
  const undo = armed
    ? await arm(device, desired, { exec, id, confirmWithin, before }, signal)
    : { ...inverse(device, desired, before), hold: async () => {} };
  try {
    await converge(device, desired, { target, before, hold: undo.hold, ...(armed ? { id } : {}) }, signal);
    await undo.hold(signal);
  } catch (cause) {
    return goBack(rest.name, undo, cause, AbortSignal.timeout(200_000));
  }
  return undo;
}

/** The set has to be of this fleet: everything that it makes is what the fleet wants. */
function refuseStrange(rest: Rest, desired: GatewayDesired, set: ChangeSet): void {
  const wanted = new Map(normalize(desired).map((item) => [item.key, item.value]));
  const strange = set.changes.find((change) => {
    if (change.kind === "delete") return wanted.has(change.before.key);
    const value = wanted.get(change.after.key);
    return value === undefined || !equalValues(value, change.after.value);
  });
  if (strange === undefined) return;
  throw new Failure(
    "E511",
    rest.name,
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

function idsOf(reading: Reading, desired: GatewayDesired): readonly string[] {
  return networkOf(desired).links.flatMap(({ name }) => interfaceOn(reading, name)?.id ?? []);
}

type Arming = {
  readonly exec: Exec;
  readonly id: string;
  readonly confirmWithin: Seconds;
  readonly before: Look;
};

/** The device keeps what is ours and puts it back by itself. Also after a restart: the new state is written by then. */
async function arm(
  device: Device,
  desired: GatewayDesired,
  { exec, id, confirmWithin, before }: Arming,
  signal?: AbortSignal,
): Promise<HeldWatchdog> {
  const { shell } = apiOf(device.way);
  if (shell === undefined) throw new RangeError("no shell to arm an undo with");
  await exec.snapshot(id, idsOf(before.reading, desired), signal);
  let undo: HeldWatchdog;
  try {
    undo = await armHeldWatchdog(shell, { id, undo: exec.undoOf(id), after: confirmWithin, folder });
  } catch (cause) {
    await exec.forget(id).catch(() => undefined);
    throw cause;
  }
  return {
    hold: undo.hold,
    async confirm(by) {
      await undo.confirm(by);
      await exec.forget(id);
    },
    async rollback(by) {
      await undo.rollback(by);
      // What the API was still at when the device went back may have been written after it.
      const { items } = await look(device, desired, by);
      if ([before.items, wholly(before)].some((old) => diff(items, old).length === 0)) return;
      await converge(device, desired, { target: wholly(before), before }, by);
    },
  };
}

/** What was not in force before need not be so again. */
function wholly({ items }: Look): readonly Item[] {
  return items.map((item) => (item.key === "in force" ? inForceItem(allInForce) : item));
}

/** Where nobody on the device can undo it, and for openings alone: back by the same way, as long as we are here. */
function inverse(device: Device, desired: GatewayDesired, before: Look): Pending {
  let settled: "confirmed" | "undone" | undefined;
  return {
    async confirm() {
      if (settled === "undone")
        throw new Failure("E514", device.rest.name, "The change was taken back already", "plan and apply again");
      settled = "confirmed";
    },
    async rollback(signal) {
      if (settled === "confirmed")
        throw new Failure("E516", device.rest.name, "Confirmed already", "plan and apply the change back");
      settled = "undone";
      await converge(device, desired, { target: wholly(before), before }, signal);
    },
  };
}

type Goal = {
  readonly target: readonly Item[];
  readonly before: Look;
  readonly id?: string;
  /** Before each write. */
  readonly hold?: HeldWatchdog["hold"];
};

/**
 * Writes, reads back, and writes again what somebody else's write took away: the API has no transaction. Rejects with
 * E512 when something is still not as it should be.
 */
async function converge(device: Device, desired: GatewayDesired, goal: Goal, signal?: AbortSignal): Promise<void> {
  let seen = await look(device, desired, signal);
  let left = diff(seen.items, goal.target);
  for (let round = 0; round < rounds && left.length > 0; round++) {
    await bring(workOf(device, desired, goal, seen, signal), goal.id);
    seen = await look(device, desired, signal);
    left = diff(seen.items, goal.target);
  }
  if (left.length === 0) return;
  const keys = left.slice(0, 3).map(keyOf).join("; ");
  const loaded = left.every((each) => keyOf(each) === "in force");
  const text = loaded
    ? `The device says that it applied the change, but it is not in force: ${notInForce(seen.inForce)}`
    : `Not as planned after ${rounds} attempts: ${keys}${left.length > 3 ? ` and ${left.length - 3} more` : ""}`;
  throw new Failure(
    "E512",
    device.rest.name,
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

function workOf(device: Device, desired: GatewayDesired, goal: Goal, seen: Look, signal?: AbortSignal): Work {
  const target = targetOf(goal.target);
  const { hold } = goal;
  const work: Work = {
    rest: hold === undefined ? device.rest : heldRest(device.rest, hold),
    ...(device.exec === undefined ? {} : { exec: hold === undefined ? device.exec : heldExec(device.exec, hold) }),
    target,
    links: networkOf(desired).links.map(({ name }) => name),
    touched: new Set(),
    forced: forcedBy(seen.inForce, target.value("in force")),
    pace: device.pace,
    reading: seen.reading,
    async reread() {
      work.reading = await read(device.rest, signal);
    },
    signal,
  };
  return work;
}

function forcedBy(state: InForce, wanted: ReturnType<ReturnType<typeof targetOf>["value"]>): Work["forced"] {
  const lacks = (what: keyof InForce): boolean => !state[what] && fieldOf(wanted, what) === true;
  return { addresses: lacks("addresses"), routes: lacks("routes"), rules: lacks("rules"), tables: lacks("tables") };
}
