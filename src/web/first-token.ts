import { readText, writeText } from "../runtime/files.ts";
import type { TokenBook } from "./token-book.ts";

const name = "admin";

/**
 * Sees that root has a way in: the file at `path`, readable by its owner only, holds an admin token that works. Makes
 * both anew at the first start, and when the file was removed or does not fit the store any more. True when it did.
 */
export async function ensureFirstToken(path: string, book: TokenBook): Promise<boolean> {
  const text = (await readText(path))?.trim();
  const bearer = text === undefined ? undefined : await book.bearerOf(text);
  if (bearer?.person.role === "admin") return false;
  await writeText(path, `${await book.replace(name, "admin", "sixgate")}\n`, 0o600);
  return true;
}
