import { hash } from "node:crypto";

/** A short text by which people name an opening: the same for the same key, and hardly ever for two. */
export function openingId(key: string): string {
  return hash("sha256", key, "hex").slice(0, 12);
}
