import { existsSync } from "node:fs";
import { copyFile, mkdir, open } from "node:fs/promises";
import { basename, join } from "node:path";
import { Failure } from "../base/failure.ts";
import { systemClock } from "../runtime/clock.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import { copyStoreFile } from "../store/store-file.ts";
import { authorityFiles } from "./authority.ts";
import { readEntry } from "./journal-line.ts";
import { listSegments, readLines, type Segment } from "./journal-segment.ts";
import { journalPath, readMark, storePath } from "./state.ts";

/**
 * A copy of a controller's state folder that a controller can start from, made while one uses it: the store of one
 * moment, the journal up to the entry that this store relies on, and the authority with its key. `to` has to be new.
 * Gives the last entry's number. Rejects with E804 where there is something, E941 where the store can't be read.
 */
export async function backupState(folder: string, to: string): Promise<number> {
  if (!existsSync(storePath(folder)))
    throw new Failure("E801", folder, "No controller's state is there", "name its folder with --state");
  if (existsSync(to)) throw new Failure("E804", to, "There is something already", "name a new folder");
  await mkdir(journalPath(to), { recursive: true, mode: 0o700 });
  copyStoreFile(storePath(folder), storePath(to));
  const store = openSqliteStore(storePath(to), systemClock);
  const mark = await readMark(store);
  await store.end();
  const last = mark?.sequence ?? 0;
  for (const segment of await listSegments(journalPath(folder)))
    if (segment.first <= last) await copySegment(segment, join(journalPath(to), basename(segment.path)), last);
  for (const name of authorityFiles)
    if (existsSync(join(folder, name))) await copyFile(join(folder, name), join(to, name));
  return last;
}

async function copySegment(segment: Segment, to: string, last: number): Promise<void> {
  const file = await open(to, "wx", 0o600);
  try {
    for await (const { text, isWhole } of readLines(segment.path)) {
      if (!isWhole || (readEntry(text)?.sequence ?? 0) > last) break;
      await file.write(`${text}\n`);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
