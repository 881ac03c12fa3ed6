import type { Item } from "../../change/item.ts";

/**
 * A device that is nothing but memory. `faults` are what real devices do at the worst moment; each strikes once, at
 * the next call it can strike, and is then gone.
 */
export type MemoryDevice = {
  readonly name: string;
  /** By key. What carries `foreign` in front of its key belongs to somebody else. */
  items: ReadonlyMap<string, Item>;
  /** Moves with every change to what is ours. */
  revision: number;
  readonly faults: Set<Fault>;
};

/** `read`: an observe fails. `apply`: an apply fails after half of its changes. `undo`: an undo fails. */
export type Fault = "read" | "apply" | "undo";

export function memoryDevice(name: string, foreign: readonly Item[] = []): MemoryDevice {
  return { name, items: new Map(foreign.map((item) => [item.key, item])), revision: 0, faults: new Set() };
}

export const foreignMark = "foreign ";

export function isForeign(item: Item): boolean {
  return item.key.startsWith(foreignMark);
}

/** Whether the fault was waiting; it is spent then. */
export function strikes(device: MemoryDevice, fault: Fault): boolean {
  return device.faults.delete(fault);
}

export function replaceItems(device: MemoryDevice, items: ReadonlyMap<string, Item>): void {
  device.items = items;
  device.revision++;
}
