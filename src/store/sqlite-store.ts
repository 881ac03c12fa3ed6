import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Failure } from "../base/failure.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { Bell, type Change, type ChangeLog, follow } from "./change-log.ts";
import { type Lease, LeaseWatch, leased } from "./lease.ts";
import { sealOf, sumOf } from "./seal.ts";
import type { Entry, Store, Write } from "./store.ts";
import { openStoreFile, requireSeal } from "./store-file.ts";
import { requireExpected } from "./write.ts";

/** Changes that stay known to who watches. */
const keptChanges = 1000;
/** Changes that a watch reads at a time. */
const batch = 500;
/** Milliseconds between two looks for what another process committed. */
const pollEvery = 500;

/**
 * One file, for one machine: SQLite in WAL mode, synced at every commit. Calls block while the disk does, about a
 * millisecond for a commit. Throws E941 for a file that is broken, E945 for one of a newer sixgate.
 */
export function openSqliteStore(path: string, clock: Pick<Clock, "steady"> = systemClock): Store {
  const db = openStoreFile(path);
  const bell = new Bell();
  const watch = new LeaseWatch(() => clock.steady());
  const statements = prepare(db);
  const log = changeLog(db, bell);
  return {
    get: async (key) => entryOf(path, statements.get.get(key)),
    async list(prefix) {
      // Keys are printable ASCII, so this is behind all that begin so.
      const rows = statements.list.all(prefix, `${prefix}\x7f`);
      return rows.map((row) => entryOf(path, row)).filter((entry) => entry !== undefined);
    },
    async commit(writes) {
      if (writes.length === 0) return Number(statements.head.get()?.["revision"]);
      const revision = inTransaction(db, path, () => write(statements, path, writes));
      bell.ring();
      return revision;
    },
    watch: (after, signal) => follow(log, after, signal),
    lease: async (name, holder, forSeconds) =>
      inTransaction(db, path, () => takeLease(statements, watch, { name, holder, lasts: forSeconds * 1000 })),
    async end() {
      bell.ring();
      db.close();
    },
  };
}

type Statements = Readonly<
  Record<"get" | "list" | "head" | "put" | "drop" | "log" | "move" | "forget" | "lease" | "take", StatementSync>
>;

function prepare(db: DatabaseSync): Statements {
  return {
    get: db.prepare("SELECT key, value, revision, seal FROM entries WHERE key = ?"),
    list: db.prepare("SELECT key, value, revision, seal FROM entries WHERE key >= ? AND key < ? ORDER BY key"),
    head: db.prepare("SELECT revision, oldest, sum FROM head WHERE one = 1"),
    put: db.prepare("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)"),
    drop: db.prepare("DELETE FROM entries WHERE key = ?"),
    log: db.prepare("INSERT INTO changes VALUES (?, ?, ?, ?)"),
    move: db.prepare("UPDATE head SET revision = ?, oldest = ?, sum = ? WHERE one = 1"),
    forget: db.prepare("DELETE FROM changes WHERE revision <= ?"),
    lease: db.prepare("SELECT holder, epoch, beat, lasts FROM leases WHERE name = ?"),
    take: db.prepare("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?)"),
  };
}

/** Throws E947 where the disk doesn't take it: nothing was changed then. */
function inTransaction<T>(db: DatabaseSync, path: string, work: () => T): T {
  try {
    db.exec("BEGIN IMMEDIATE");
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (cause) {
    if (db.isOpen && db.isTransaction) db.exec("ROLLBACK");
    if (cause instanceof Failure || cause instanceof RangeError) throw cause;
    const text = `The store can't be written: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new Failure("E947", path, text, "look at the disk: space, rights, health", { cause });
  }
}

function write(statements: Statements, path: string, writes: readonly Write[]): number {
  const before = new Map(writes.map(({ key }) => [key, entryOf(path, statements.get.get(key))]));
  requireExpected(writes, (key) => before.get(key));
  const head = statements.head.get();
  const revision = Number(head?.["revision"]) + 1;
  let sum = BigInt(`0x${String(head?.["sum"])}`);
  for (const { key, value } of writes) {
    const there = before.get(key);
    if (there !== undefined) sum = sumOf(sum, -1n, sealOf(key, there.value, there.revision));
    if (there === undefined && value === undefined) continue;
    const seal = sealOf(key, value, revision);
    if (value === undefined) statements.drop.run(key);
    else {
      statements.put.run(key, value, revision, seal);
      sum = sumOf(sum, 1n, seal);
    }
    statements.log.run(revision, key, value ?? null, seal);
  }
  const oldest = Math.max(Number(head?.["oldest"]), revision - keptChanges);
  statements.forget.run(oldest);
  statements.move.run(revision, oldest, sum.toString(16).padStart(16, "0"));
  return revision;
}

type Asked = { readonly name: string; readonly holder: string; readonly lasts: number };

function takeLease(statements: Statements, watch: LeaseWatch, { name, holder, lasts }: Asked): number | undefined {
  const row = statements.lease.get(name);
  const before: Lease | undefined =
    row === undefined
      ? undefined
      : {
          holder: String(row["holder"]),
          epoch: Number(row["epoch"]),
          beat: Number(row["beat"]),
          lasts: Number(row["lasts"]),
        };
  const lease = leased(before, holder, lasts, watch.unchanged(name, before));
  if (lease !== undefined) statements.take.run(name, lease.holder, lease.epoch, lease.beat, lease.lasts);
  return lease?.epoch;
}

/** Throws E941 where the row is not as it was written. */
function entryOf(path: string, row: Readonly<Record<string, unknown>> | undefined): Entry | undefined {
  if (row === undefined) return undefined;
  try {
    requireSeal(row);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Failure("E941", path, text, "put back a backup, or begin anew with --accept-loss", { cause });
  }
  return { key: String(row["key"]), value: String(row["value"]), revision: Number(row["revision"]) };
}

function changeLog(db: DatabaseSync, bell: Bell): ChangeLog {
  const head = db.prepare("SELECT oldest FROM head WHERE one = 1");
  // A whole revision is never divided between two batches: the limit is on revisions' first rows.
  const after = db.prepare(`SELECT key, value, revision FROM changes WHERE revision > ?1 AND revision <= (
    SELECT coalesce(max(revision), ?1) FROM (SELECT revision FROM changes WHERE revision > ?1 ORDER BY revision LIMIT ${batch}))
    ORDER BY revision, key`);
  return {
    after: (revision): readonly Change[] =>
      db.isOpen
        ? after.all(revision).map((row) => ({
            key: String(row["key"]),
            value: typeof row["value"] === "string" ? row["value"] : undefined,
            revision: Number(row["revision"]),
          }))
        : [],
    oldest: () => (db.isOpen ? Number(head.get()?.["oldest"]) : 0),
    more: (signal) => bell.wait(signal, pollEvery),
  };
}
