import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import { type Change, keyOf } from "../../change/change-set.ts";
import type { Item } from "../../change/item.ts";

/** How long a device may take until it is as planned: duplicate address detection, a network's start. Milliseconds. */
const patience = 15_000;

export type Awaited = {
  /** The device, for messages. */
  readonly at: string;
  readonly items: () => Promise<readonly Item[]>;
  /** What still differs. Throws what waiting can't mend. */
  readonly left: (items: readonly Item[]) => readonly Change[];
  /** Where to look when it does not come. */
  readonly fix: string;
  /** Milliseconds between two looks; 200 by default. */
  readonly every?: number;
};

/** Looks until nothing is left to change. Rejects with E512 and what is there instead, or with what a look rejects with. */
export async function untilAsPlanned(awaited: Awaited, signal?: AbortSignal): Promise<void> {
  const { at, left, fix, every = 200 } = awaited;
  for (const start = performance.now(); ; ) {
    const items = await awaited.items();
    const open = left(items);
    if (open.length === 0) return;
    if (performance.now() - start > patience)
      throw new Failure("E512", at, `Not as planned: ${shown(open, items)}`, fix);
    await pause(every, undefined, signal === undefined ? {} : { signal });
  }
}

function shown(open: readonly Change[], items: readonly Item[]): string {
  const found = new Map(items.map(({ key, value }) => [key, value]));
  const text = (change: Change): string =>
    printable(JSON.stringify(found.get(keyOf(change)) ?? "not there")).slice(0, 300);
  return open
    .slice(0, 5)
    .map((change) => `${keyOf(change)} is ${text(change)}`)
    .join("; ");
}
