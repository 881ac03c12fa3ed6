import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { Failure } from "../base/failure.ts";
import { formatHead, type SegmentHead } from "./journal-line.ts";

/** E947, for who waits for the journal's disk. */
export function journalFailure(path: string, cause: unknown): Failure {
  const text = `The journal can't be written: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new Failure("E947", path, text, "look at the disk: space, rights, health; it is tried again", { cause });
}

/** Makes a segment with nothing but its head, and gives its length. What a crash left under that name has no entries. */
export async function writeSegmentHead(path: string, head: SegmentHead): Promise<number> {
  const handle = await open(path, "w", 0o600);
  try {
    const text = `${formatHead(head)}\n`;
    await handle.writeFile(text);
    await handle.sync();
    await syncFolder(path);
    return Buffer.byteLength(text);
  } finally {
    await handle.close();
  }
}

/** Syncs the folder that a file lies in: its name is on disk then, not only its bytes. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(dirname(path), "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
