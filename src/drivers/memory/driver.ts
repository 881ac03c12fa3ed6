import { Failure } from "../../base/failure.ts";
import type { Seconds } from "../../base/time.ts";
import { type Change, type ChangeSet, keyOf } from "../../change/change-set.ts";
import { equalValues } from "../../change/equal.ts";
import type { Item } from "../../change/item.ts";
import type { Desired } from "../../desired/desired.ts";
import type { Driver, DriverKind, Observed, Pending } from "../driver.ts";
import { isForeign, type MemoryDevice, replaceItems, strikes } from "./api.ts";
import { normalize, render } from "./convert.ts";
import { audit } from "./limits.ts";

/** The reference: what every driver has to do, on a device without any quirk. For tests; no fleet file names it. */
export function memory(device: MemoryDevice): DriverKind<Desired> {
  return {
    name: "memory",
    layer: "gateway",
    undo: "watchdog",
    audit,
    normalize,
    render,
    at: (): Driver => ({
      observe: () => observe(device),
      apply: (set, confirmWithin) => apply(device, set, confirmWithin),
    }),
  };
}

async function observe(device: MemoryDevice): Promise<Observed> {
  if (strikes(device, "read")) throw new Failure("E503", device.name, "Read cut off half-way", "try again");
  return { items: [...device.items.values()].filter((item) => !isForeign(item)), revision: String(device.revision) };
}

async function apply(device: MemoryDevice, set: ChangeSet, confirmWithin: Seconds): Promise<Pending> {
  if (set.base !== String(device.revision)) {
    throw new Failure(
      "E510",
      device.name,
      `At revision ${device.revision}, the plan was made at ${set.base}`,
      "plan again",
    );
  }
  const before = device.items;
  const half = strikes(device, "apply") ? Math.ceil(set.changes.length / 2) : undefined;
  const items = new Map(before);
  for (const [place, change] of set.changes.entries()) {
    // The live map is replaced only when all changes are in: half of them never shows.
    if (place === half) throw new Failure("E511", device.name, `Refused "${keyOf(change)}"`, "nothing was changed");
    applyOne(device, items, change);
  }
  replaceItems(device, items);
  return pendingOn(device, before, confirmWithin);
}

function applyOne(device: MemoryDevice, items: Map<string, Item>, change: Change): void {
  const key = keyOf(change);
  const there = items.get(key);
  const expected = change.kind === "create" ? undefined : change.before;
  const same =
    there === undefined || expected === undefined ? there === expected : equalValues(there.value, expected.value);
  if (!same || (there !== undefined && isForeign(there)))
    throw new Failure("E511", device.name, `"${key}" is not as the plan says`, "plan again");
  if (change.kind === "delete") items.delete(key);
  else items.set(key, change.after);
}

function pendingOn(device: MemoryDevice, before: ReadonlyMap<string, Item>, confirmWithin: Seconds): Pending {
  let state: "pending" | "confirmed" | "undone" | "stuck" = "pending";
  function undo(): void {
    if (state !== "pending") return;
    state = strikes(device, "undo") ? "stuck" : "undone";
    if (state === "undone") replaceItems(device, before);
  }
  const deadline = setTimeout(undo, confirmWithin * 1000);
  // A process that is done need not wait for the undo of a device that goes with it.
  deadline.unref();
  function failure(): Failure | undefined {
    switch (state) {
      case "stuck":
        return new Failure("E515", device.name, "Undo refused", "look at the device by hand");
      case "undone":
        return new Failure("E514", device.name, "Not confirmed in time; the device went back", "apply again");
      case "confirmed":
        return new Failure("E516", device.name, "Confirmed already", "plan and apply the change back");
      case "pending":
        return undefined;
    }
  }
  return {
    async confirm() {
      clearTimeout(deadline);
      if (state === "pending") state = "confirmed";
      const failed = failure();
      if (state !== "confirmed" && failed !== undefined) throw failed;
    },
    async rollback() {
      clearTimeout(deadline);
      undo();
      const failed = failure();
      if (state !== "undone" && failed !== undefined) throw failed;
    },
  };
}
