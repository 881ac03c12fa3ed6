import { parseDuration } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import { quote } from "../base/quote.ts";
import { type Instant, instant } from "../base/time.ts";
import { formatTimestamp, parseTimestamp } from "../base/timestamp.ts";
import type { JournalEntry } from "../controller/controller.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { type Exit, exit } from "./exit.ts";
import { readLines } from "./lines.ts";
import { type Remote, remoteAt } from "./remote.ts";
import type { Terminal } from "./terminal.ts";

export type AuditOptions = DoorOptions & {
  readonly verify?: boolean;
  readonly known?: string;
  readonly since?: string;
  readonly most: string;
};

type JournalPage = { readonly entries: readonly JournalEntry[]; readonly all: number };

/** `sixgate audit`: who did what. With `--verify` whether anybody changed it afterwards; exit 3 then. */
export async function audit(options: AuditOptions, terminal: Terminal): Promise<Exit> {
  const remote = remoteAt(await openDoor(options));
  if (options.verify === true || options.known !== undefined) return verify(options.known, remote, terminal);
  for await (const entry of entriesAfter(await startOf(options, remote), remote)) {
    terminal.line(
      `${formatTimestamp(entry.at)}  ${String(entry.sequence).padStart(6)}  ${entry.who}  ${entry.what}  ${detailText(entry.detail)}`,
    );
    terminal.record(entry);
  }
  return exit.fine;
}

/** Where to begin: so many entries before the end, or the first of a time. */
async function startOf(options: AuditOptions, remote: Remote): Promise<number> {
  if (options.since !== undefined) return findTime(readSince(options.since), remote);
  const most = Number(options.most);
  if (!Number.isSafeInteger(most) || most < 1)
    throw new Failure("E802", "--most", "Not a number of entries", "write 1 or more");
  return Math.max(0, (await pageAfter(0, remote)).all - most);
}

function readSince(text: string): Instant {
  const length = parseDuration(text);
  const at = length === undefined ? parseTimestamp(text) : instant(Date.now() - length * 1000);
  if (at !== undefined) return at;
  throw new Failure(
    "E802",
    "--since",
    `Neither a time nor a length of it: ${quote(text)}`,
    "write 2h, 7d, or 2026-12-31T18:00:00Z",
  );
}

function pageAfter(after: number, remote: Remote): Promise<JournalPage> {
  return remote.get<JournalPage>("journal/1", "/api/v1/journal", { after, limit: 1 });
}

/** The sequence before the first entry of that time or later, found by halves: times go up, but for a clock that was set. */
async function findTime(at: Instant, remote: Remote): Promise<number> {
  let [low, high] = [0, (await pageAfter(0, remote)).all];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [entry] = (await pageAfter(middle, remote)).entries;
    if (entry === undefined || entry.at >= at) high = middle;
    else low = entry.sequence;
  }
  return low;
}

async function* entriesAfter(after: number, remote: Remote): AsyncGenerator<JournalEntry> {
  const answer = await remote.stream("/api/v1/journal/export", { after }, {});
  try {
    for await (const line of readLines(answer)) yield JSON.parse(line) as JournalEntry;
  } catch (cause) {
    throw new Failure("E810", "journal", "The answer broke off", "ask again", { cause });
  }
}

/** The values as they were written down; text in quotes, so that it can't be taken for another key. */
function detailText(detail: JournalEntry["detail"]): string {
  return Object.entries(detail)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(" ");
}

type Verified = { readonly fits: boolean; readonly entries: number; readonly head: string; readonly broken?: number };

/**
 * The chain of hashes shows what was changed in the middle of it. Whoever writes all of it anew makes another chain
 * that fits: a head that was written down elsewhere shows that too.
 */
async function verify(known: string | undefined, remote: Remote, terminal: Terminal): Promise<Exit> {
  if (known !== undefined && !/^[0-9a-f]{64}$/.test(known))
    throw new Failure("E802", "--known", "Not a head", "write the 64 hex digits that an earlier --verify printed");
  const verified = await remote.get<Verified>("journal-verify/1", "/api/v1/journal/verify");
  const found = known === undefined || (await hasHash(known, remote));
  const fits = verified.fits && found;
  if (verified.broken !== undefined)
    terminal.line(`entry ${verified.broken} does not fit its hash: it or what is before it was changed`, "bad");
  if (!found)
    terminal.line("the head that was given is not in it: this is another journal, or it was written anew", "bad");
  if (fits) terminal.line(`${verified.entries} entries fit their hashes`, "good");
  terminal.line(`head ${verified.head}`);
  terminal.result({ ...verified, fits, ...(known === undefined ? {} : { known, found }) });
  return fits ? exit.fine : exit.failed;
}

async function hasHash(hash: string, remote: Remote): Promise<boolean> {
  for await (const entry of entriesAfter(0, remote)) if (entry.hash === hash) return true;
  return false;
}
