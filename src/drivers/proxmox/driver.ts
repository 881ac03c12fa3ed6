import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Seconds } from "../../base/time.ts";
import { type ChangeSet, keyOf } from "../../change/change-set.ts";
import { diff } from "../../change/diff.ts";
import type { Item } from "../../change/item.ts";
import type { HypervisorDesired, VmDesired } from "../../desired/desired.ts";
import type { Shell } from "../../runtime/shell.ts";
import { apiOf, type Way } from "../../runtime/way.ts";
import type { Driver, DriverKind, Pending } from "../driver.ts";
import { refuseSecond } from "../earlier-undo.ts";
import { goBack } from "../go-back.ts";
import type { HeldWatchdog } from "../held-watchdog.ts";
import { untilAsPlanned } from "../linux/as-planned.ts";
import { inOrder } from "../linux/guest-items.ts";
import { revisionOf } from "../linux/observe-guest.ts";
import { type Call, type Pve, pveAt, textOf } from "./api.ts";
import { beginVm, fillVm, startVm } from "./clone.ts";
import { normalize, render, vmKey } from "./convert.ts";
import { heldApi, withLateWrites } from "./held.ts";
import { audit, consequences } from "./limits.ts";
import { stageLines } from "./lines.ts";
import { type Network, networkItems, readNetwork } from "./network.ts";
import { stepsOf } from "./network-calls.ts";
import { readingNeeds, requireRights, writingNeeds } from "./rights.ts";
import { dropStaged, type Edits, stage, unstage } from "./staging.ts";
import { armOnNode, undoPrefix } from "./undo.ts";
import { reload, reloadPatience, undoOverApi } from "./undo-over-api.ts";
import { configCalls, configUndo, sourcesCalls, sourcesUndo, touchedBy } from "./vm-calls.ts";
import { readVms, type Vms, vmItemsIn } from "./vms.ts";

/**
 * Bridges of a node of Proxmox VE 8.4 to 9.x, and the NICs of the fleet's VMs, over its API. The API has no timer and no
 * way back; with a root shell on the node a watchdog is both.
 */
export const proxmox: DriverKind<HypervisorDesired> = {
  name: "proxmox",
  layer: "hypervisor",
  undo: "watchdog",
  audit,
  normalize,
  render,
  consequences,
  at: (way, desired) => proxmoxAt(way, desired),
};

type Device = {
  readonly pve: Pve;
  readonly shell: Shell | undefined;
  readonly desired: HypervisorDesired;
  /** Clones of this apply: whole in our eyes although they are only started when it is confirmed. */
  readonly made: Set<number>;
};
type Look = { readonly network: Network; readonly left: boolean; readonly vms: Vms; readonly items: readonly Item[] };

function proxmoxAt(way: Way, desired: HypervisorDesired): Driver {
  const { http, shell } = apiOf(way);
  const pve = pveAt(http, desired.cluster?.node ?? desired.device);
  const device: Device = { pve, shell, desired, made: new Set() };
  return {
    async observe(signal) {
      const { items, vms, left } = await look(device, signal);
      return { items, revision: revisionOf(items), notes: [...(left ? [leftEdits] : []), ...vms.notes] };
    },
    apply: (set, confirmWithin, signal) => apply(device, set, confirmWithin, signal),
  };
}

const leftEdits =
  "edits of an apply that did not end wait under System > Network; they were never in force, and the next apply takes them back first";

async function look({ pve, desired, made }: Device, signal?: AbortSignal): Promise<Look> {
  await requireRights(pve, readingNeeds(desired), signal);
  const { network, left } = await readNetwork(pve, desired, signal);
  const vms = await readVms(pve, desired, made, signal);
  return { network, left, vms, items: inOrder([...networkItems(network, desired), ...vmItemsIn(vms, desired)]) };
}

async function apply(device: Device, set: ChangeSet, confirmWithin: Seconds, signal?: AbortSignal): Promise<Pending> {
  const { pve, shell, desired } = device;
  if (shell !== undefined) await refuseSecond(shell, undoPrefix, signal);
  const before = await ready(device, set, signal);
  const made = vmsOf(desired).filter((vm) => isMade(set, vm));
  // Copies take long, disturb nobody and are found again by their mark: made before anything has to be held.
  for (const vm of made) {
    if (!before.vms.begun.has(vm.id)) await beginVm(pve, vm, signal);
    device.made.add(vm.id);
  }
  const edits: Edits = { pve, desired, before: before.network, steps: stepsOf(pve, before.network, desired, set) };
  const network = edits.steps.length > 0 || set.changes.some((change) => keyOf(change).startsWith("lines "));
  const calls = undoCalls(device, before.vms, set);
  const undo = await arm(device, edits, calls, network, confirmWithin);
  const held = { ...device, pve: heldApi(pve, undo.hold) };
  if (network) await staged(edits, held.pve, undo, signal);
  try {
    if (network) {
      if (shell !== undefined) await stageLines(shell, desired);
      await reload(held.pve, signal);
    }
    await changeVms(held, before.vms, set, signal);
    await asPlanned(device, signal);
    await undo.hold(signal);
  } catch (cause) {
    device.made.clear();
    return await goBack(pve.name, undo, cause, AbortSignal.timeout(reloadPatience));
  }
  return withStart(device, made, undo);
}

async function arm(
  { shell }: Device,
  edits: Edits,
  calls: readonly Call[],
  network: boolean,
  after: Seconds,
): Promise<HeldWatchdog> {
  const overApi = undoOverApi(edits, calls);
  if (shell === undefined) return { ...overApi, hold: async () => {} };
  return withLateWrites(await armOnNode(shell, network, calls, after), overApi, after);
}

/** Looks, refuses what can't be applied, and takes back what an apply that did not end left waiting. */
async function ready(device: Device, set: ChangeSet, signal?: AbortSignal): Promise<Look> {
  const { pve, desired } = device;
  let before = await look(device, signal);
  if (before.left && revisionOf(before.items) === set.base) {
    await dropStaged(pve, signal);
    // What was in force was read out of a diff; now it is seen.
    before = await look(device, signal);
  }
  if (revisionOf(before.items) !== set.base)
    throw new Failure("E510", pve.name, "The hypervisor changed since the plan", "plan again and look at what changed");
  await requireRights(pve, [...readingNeeds(desired), ...writingNeeds(desired)], signal);
  requirePorts(device, before.network);
  if (!before.left) return before;
  throw new Failure("E511", pve.name, "Edits that wait are not taken back", "revert them under System > Network");
}

function undoCalls({ pve, desired }: Device, { found }: Vms, set: ChangeSet): readonly Call[] {
  return vmsOf(desired).flatMap((vm) => {
    const there = found.get(vm.id);
    const touched = touchedBy(set, vm);
    return there === undefined ? [] : [...configUndo(pve, vm, there, touched), ...sourcesUndo(pve, vm, there, touched)];
  });
}

/**
 * Writes the edits. Where one is refused, or others edit too, ours are taken out over the API, so that theirs stay, and
 * the undo is called off; where that fails too the undo throws away all that waits.
 */
async function staged(edits: Edits, held: Pve, pending: Pending, signal?: AbortSignal): Promise<void> {
  try {
    await stage({ ...edits, pve: held }, signal);
  } catch (cause) {
    try {
      await unstage(edits);
    } catch {
      await goBack(edits.pve.name, pending, cause, AbortSignal.timeout(reloadPatience));
    }
    // Nothing is changed: an undo that can't be called off finds nothing to do.
    await pending.confirm().catch(() => undefined);
    throw cause;
  }
}

function vmsOf({ cluster }: HypervisorDesired): readonly VmDesired[] {
  return cluster?.vms ?? [];
}

/** A bridge whose uplink is missing would come up alone and cut the node off. */
function requirePorts({ pve, desired }: Device, network: Network): void {
  for (const { name, port } of desired.bridges) {
    const other = [...network].find(
      ([each, row]) => each !== name && (textOf(row, "bridge_ports") ?? "").split(/\s+/).includes(port ?? "\n"),
    );
    const type = textOf(network.get(name), "type") ?? "bridge";
    if (type !== "bridge")
      throw new Failure(
        "E511",
        pve.name,
        `${name} is a ${printable(type)}`,
        "only bridges of Linux are set; name another",
      );
    if (
      port === undefined ||
      (network.has(port) && (other === undefined || desired.bridges.some((each) => each.name === other[0])))
    )
      continue;
    const text = other === undefined ? `No interface "${port}" for ${name}` : `"${port}" is a port of ${other[0]}`;
    throw new Failure("E511", pve.name, text, `there are: ${[...network.keys()].join(", ")}`);
  }
}

async function changeVms(
  { pve, desired, made }: Device,
  before: Vms,
  set: ChangeSet,
  signal?: AbortSignal,
): Promise<void> {
  for (const vm of vmsOf(desired)) if (made.has(vm.id)) await fillVm(pve, vm, signal);
  const now = made.size > 0 ? await readVms(pve, desired, made, signal) : before;
  for (const vm of vmsOf(desired)) {
    const there = now.found.get(vm.id);
    if (there === undefined) continue;
    const touched = touchedBy(set, vm);
    const calls = [
      ...sourcesCalls(pve, vm, there, touched),
      ...(made.has(vm.id) ? [] : configCalls(pve, vm, there, touched)),
    ];
    for (const call of calls) await pve.send(call, signal);
  }
}

function isMade(set: ChangeSet, vm: VmDesired): boolean {
  return set.changes.some((change) => change.kind === "create" && change.after.key === vmKey(vm.name));
}

function asPlanned(device: Device, signal?: AbortSignal): Promise<void> {
  const planned = normalize(device.desired);
  return untilAsPlanned(
    {
      at: device.pve.name,
      items: async () => (await look(device, signal)).items,
      left: (items) => diff(items, planned),
      fix: "look at Tasks on the node",
      every: 500,
    },
    signal,
  );
}

/** Clones run once they are wanted for good. Until then, and after an undo, they are begun to everybody else. */
function withStart({ pve, made }: Device, vms: readonly VmDesired[], pending: Pending): Pending {
  return {
    async confirm(signal) {
      await pending.confirm(signal);
      for (const vm of vms) await startVm(pve, vm, signal);
      made.clear();
    },
    async rollback(signal) {
      made.clear();
      await pending.rollback(signal);
    },
  };
}
