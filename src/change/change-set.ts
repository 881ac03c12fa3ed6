import type { DeviceName } from "../base/name.ts";
import type { Layer } from "../desired/desired.ts";
import type { Item } from "./item.ts";

export type Change =
  | { readonly kind: "create"; readonly after: Item }
  | { readonly kind: "update"; readonly before: Item; readonly after: Item }
  | { readonly kind: "delete"; readonly before: Item };

/** Plain data: printed, stored, approved elsewhere, applied later. `base` is the revision the diff was made from. */
export type ChangeSet = {
  readonly device: DeviceName;
  readonly layer: Layer;
  readonly driver: string;
  readonly base: string;
  /** In order of keys. */
  readonly changes: readonly Change[];
};

export function keyOf(change: Change): string {
  return change.kind === "delete" ? change.before.key : change.after.key;
}
