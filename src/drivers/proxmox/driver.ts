import { setTimeout as pause } from "node:timers/promises";
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
import { goBack } from "../go-back.ts";
import { inOrder } from "../linux/guest-items.ts";
import { revisionOf } from "../linux/observe-guest.ts";
import { type Call, type Pve, pveAt, textOf } from "./api.ts";
import { cloneVm, startVm } from "./clone.ts";
import { normalize, render, vmKey } from "./convert.ts";
import { audit, consequences } from "./limits.ts";
import { stageLines } from "./lines.ts";
import { type Network, networkItems, networkPath, readNetwork, readStaged } from "./network.ts";
import { type Step, stepsOf, untouched } from "./network-calls.ts";
import { readingNeeds, requireRights, writingNeeds } from "./rights.ts";
import { armOnNode } from "./undo.ts";
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

/** How long a reload of the network, and the state after it, may take; in milliseconds. */
const reloadPatience = 120_000;
const settlePatience = 15_000;

type Device = { readonly pve: Pve; readonly shell: Shell | undefined; readonly desired: HypervisorDesired };
type Look = { readonly network: Network; readonly vms: Vms; readonly items: readonly Item[] };

function proxmoxAt(way: Way, desired: HypervisorDesired): Driver {
  const { http, shell } = apiOf(way);
  const device: Device = { pve: pveAt(http, desired.cluster?.node ?? desired.device), shell, desired };
  return {
    async observe(signal) {
      const { items, vms } = await look(device, signal);
      return { items, revision: revisionOf(items), notes: vms.notes };
    },
    apply: (set, confirmWithin, signal) => apply(device, set, confirmWithin, signal),
  };
}

async function look({ pve, desired }: Device, signal?: AbortSignal): Promise<Look> {
  await requireRights(pve, readingNeeds(desired), signal);
  const network = await readNetwork(pve, desired, signal);
  const vms = await readVms(pve, desired, signal);
  return { network, vms, items: inOrder([...networkItems(network, desired), ...vmItemsIn(vms, desired)]) };
}

async function apply(device: Device, set: ChangeSet, confirmWithin: Seconds, signal?: AbortSignal): Promise<Pending> {
  const { pve, shell, desired } = device;
  const before = await look(device, signal);
  if (revisionOf(before.items) !== set.base)
    throw new Failure("E510", pve.name, "The hypervisor changed since the plan", "plan again and look at what changed");
  await requireRights(pve, [...readingNeeds(desired), ...writingNeeds(desired)], signal);
  requirePorts(device, before.network);
  const steps = stepsOf(pve, before.network, desired, set);
  const network = steps.length > 0 || set.changes.some((change) => keyOf(change).startsWith("lines "));
  const undoCalls = vmsOf(desired).flatMap((vm) => {
    const there = before.vms.found.get(vm.id);
    const touched = touchedBy(set, vm);
    return there === undefined ? [] : [...configUndo(pve, vm, there, touched), ...sourcesUndo(pve, vm, there, touched)];
  });
  // Staged before anything is armed: where somebody else edits meanwhile nothing has happened yet, and all of ours goes.
  if (network) await stage(device, before.network, steps, signal);
  const done = { applied: false };
  const pending =
    shell === undefined
      ? overApi(device, { steps, calls: undoCalls, before: before.network, done })
      : await armOnNode(shell, network, undoCalls, confirmWithin).catch(async (cause: unknown) => {
          await unstage(device, before.network, steps);
          throw cause;
        });
  try {
    if (network) {
      if (shell !== undefined) await stageLines(shell, desired);
      done.applied = true;
      await reload(pve, signal);
    }
    await changeVms(device, before.vms, set, signal);
    await asPlanned(device, signal);
  } catch (cause) {
    return await goBack(pve.name, pending, cause, AbortSignal.timeout(reloadPatience));
  }
  return withStart(device, set, pending);
}

function vmsOf({ cluster }: HypervisorDesired): readonly VmDesired[] {
  return cluster?.vms ?? [];
}

async function reload(pve: Pve, signal?: AbortSignal): Promise<void> {
  await pve.task({ method: "PUT", path: networkPath(pve), form: {} }, reloadPatience, signal);
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

/** Writes the edits, which are not in force yet. Where one is refused, or others edit too, ours are taken out again. */
async function stage(device: Device, before: Network, steps: readonly Step[], signal?: AbortSignal): Promise<void> {
  const { pve, desired } = device;
  const done: Step[] = [];
  try {
    // What goes makes room: a port, or the one default gateway that a node may have.
    for (const step of inRoom(steps)) {
      done.push(step);
      await pve.send(step.forward, signal);
    }
    const now = await readStaged(pve, desired, signal);
    if (untouched(now, steps) === untouched(before, steps)) return;
  } catch (cause) {
    await unstage(device, before, done);
    throw cause;
  }
  await unstage(device, before, done);
  throw new Failure(
    "E584",
    pve.name,
    "Somebody else edits the network of the node at the same time; ours was taken back, theirs still waits",
    "let them apply or revert it under System > Network, then plan again",
  );
}

function inRoom(steps: readonly Step[]): readonly Step[] {
  const rank = ({ forward }: Step): number =>
    forward.method === "DELETE" ? 0 : /bridge_ports|gateway/.test(forward.form["delete"] ?? "") ? 1 : 2;
  return steps.toSorted((a, b) => rank(a) - rank(b));
}

/** Step by step back, so that edits of others stay; where nothing of theirs is left, what is pending is ours and goes. */
async function unstage({ pve, desired }: Device, before: Network, steps: readonly Step[]): Promise<void> {
  if (steps.length === 0) return;
  for (const step of [...steps].reverse()) await pve.send(step.back).catch(() => undefined);
  if ((await pve.listWithChanges(networkPath(pve))).changes.trim() === "") return;
  const now = await readStaged(pve, desired);
  if (untouched(now, []) === untouched(before, []))
    await pve.send({ method: "DELETE", path: networkPath(pve), form: {} });
}

async function changeVms(device: Device, before: Vms, set: ChangeSet, signal?: AbortSignal): Promise<void> {
  const { pve, desired } = device;
  for (const vm of vmsOf(desired)) {
    if (isMade(set, vm)) await cloneVm(pve, vm, signal);
  }
  const now = set.changes.some((change) => keyOf(change).startsWith("vm "))
    ? await readVms(pve, desired, signal)
    : before;
  for (const vm of vmsOf(desired)) {
    const there = now.found.get(vm.id);
    if (there === undefined) continue;
    const touched = touchedBy(set, vm);
    const calls = [
      ...sourcesCalls(pve, vm, there, touched),
      ...(isMade(set, vm) ? [] : configCalls(pve, vm, there, touched)),
    ];
    for (const call of calls) await pve.send(call, signal);
  }
}

function isMade(set: ChangeSet, vm: VmDesired): boolean {
  return set.changes.some((change) => change.kind === "create" && change.after.key === vmKey(vm.name));
}

async function asPlanned(device: Device, signal?: AbortSignal): Promise<void> {
  const planned = normalize(device.desired);
  for (const start = performance.now(); ; ) {
    const { items } = await look(device, signal);
    const open = diff(items, planned);
    if (open.length === 0) return;
    if (performance.now() - start > settlePatience) {
      const found = new Map(items.map(({ key, value }) => [key, value]));
      const shown = open
        .slice(0, 5)
        .map(
          (each) =>
            `${keyOf(each)} is ${printable(JSON.stringify(found.get(keyOf(each)) ?? "not there")).slice(0, 300)}`,
        );
      throw new Failure("E512", device.pve.name, `Not as planned: ${shown.join("; ")}`, "look at Tasks on the node");
    }
    await pause(500, undefined, signal === undefined ? {} : { signal });
  }
}

type Back = {
  readonly steps: readonly Step[];
  readonly calls: readonly Call[];
  readonly before: Network;
  readonly done: { readonly applied: boolean };
};

/** Without a shell: back by the same way, as long as we are here and the node still hears us. */
function overApi(device: Device, { steps, calls, before, done }: Back): Pending {
  const { pve } = device;
  let settled: "confirmed" | "undone" | undefined;
  return {
    async confirm() {
      if (settled === "undone")
        throw new Failure("E514", pve.name, "The change was taken back already", "plan and apply again");
      settled = "confirmed";
    },
    async rollback(signal) {
      if (settled === "confirmed")
        throw new Failure("E516", pve.name, "Confirmed already", "plan and apply the change back");
      settled = "undone";
      for (const call of calls) await pve.send(call, signal);
      if (!done.applied) return unstage(device, before, steps);
      for (const step of [...steps].reverse()) await pve.send(step.back, signal);
      if (steps.length > 0) await reload(pve, signal);
    },
  };
}

/** Clones run once they are wanted for good. */
function withStart({ pve, desired }: Device, set: ChangeSet, pending: Pending): Pending {
  const made = vmsOf(desired).filter((vm) => isMade(set, vm));
  return {
    async confirm(signal) {
      await pending.confirm(signal);
      for (const vm of made) await startVm(pve, vm, signal);
    },
    rollback: (signal) => pending.rollback(signal),
  };
}
