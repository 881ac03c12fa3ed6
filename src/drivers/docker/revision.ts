import { createHash } from "node:crypto";
import type { Item } from "../../change/item.ts";

/** Moves when anything of the items does. */
export function fingerprintOf(items: readonly Item[]): string {
  return createHash("sha256").update(JSON.stringify(items)).digest("hex");
}
