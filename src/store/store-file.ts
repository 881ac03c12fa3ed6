import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Failure } from "../base/failure.ts";
import { sealOf, sumOf } from "./seal.ts";

/** `SX6G`: tells the file from any other database (SQLite's `PRAGMA application_id`). */
const applicationId = 0x53583647;

/**
 * Forward only: number n leads from version n to n + 1, in one transaction. A step that was released never changes.
 * Tables without a rowid have their key as their only tree, so that no index can differ from its table.
 */
const steps: readonly string[] = [
  `CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL, seal TEXT NOT NULL)
     STRICT, WITHOUT ROWID;
   CREATE TABLE changes (revision INTEGER NOT NULL, key TEXT NOT NULL, value TEXT, seal TEXT NOT NULL,
     PRIMARY KEY (revision, key)) STRICT, WITHOUT ROWID;
   CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, epoch INTEGER NOT NULL, beat INTEGER NOT NULL,
     lasts INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL, oldest INTEGER NOT NULL,
     sum TEXT NOT NULL) STRICT;
   INSERT INTO head VALUES (1, 0, 0, '0000000000000000');`,
];

/** Milliseconds that a commit waits for another process's. */
const busyTimeout = 5000;

/** Opens the file, making it where there is none, after looking through all of it. Throws E941, E945, E947. */
export function openStoreFile(path: string): DatabaseSync {
  if (!existsSync(path)) create(path);
  let db: DatabaseSync | undefined;
  try {
    if (statSync(path).size === 0) throw new Error("It is empty");
    db = new DatabaseSync(path, { timeout: busyTimeout });
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    requireOurs(db);
    migrate(db);
    requireWhole(db);
    return db;
  } catch (cause) {
    db?.close();
    throw cause instanceof Failure ? cause : broken(path, cause);
  }
}

function broken(path: string, cause: unknown): Failure {
  const text = `The store can't be read: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new Failure("E941", path, text, "put back a backup, or begin anew with --accept-loss", { cause });
}

/**
 * A whole copy of one moment, also while the store is in use, at a path where nothing is yet. Throws E804 where
 * something is, E941 where the store can't be read.
 */
export function copyStoreFile(path: string, to: string): void {
  try {
    closeSync(openSync(to, "wx", 0o600));
  } catch (cause) {
    throw new Failure("E804", to, "There is something already, or no folder for it", "name a new one", { cause });
  }
  const db = openStoreFile(path);
  try {
    db.prepare("VACUUM INTO ?").run(to);
    syncFolder(dirname(to));
  } finally {
    db.close();
  }
}

/** Made beside and renamed: a file under that name is always whole, so an empty one is a broken one. */
function create(path: string): void {
  const beside = `${path}.sixgate-new`;
  rmSync(beside, { force: true });
  closeSync(openSync(beside, "wx", 0o600));
  const db = new DatabaseSync(beside);
  try {
    db.exec(`PRAGMA synchronous = FULL; PRAGMA application_id = ${applicationId};`);
    migrate(db);
  } finally {
    db.close();
  }
  renameSync(beside, path);
  syncFolder(dirname(path));
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function numberOf(db: DatabaseSync, pragma: string): number {
  return Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}

function requireOurs(db: DatabaseSync): void {
  if (numberOf(db, "application_id") !== applicationId) throw new Error("It is no store of sixgate");
}

function migrate(db: DatabaseSync): void {
  const version = numberOf(db, "user_version");
  if (version > steps.length) {
    const text = `The store has version ${version}, this sixgate knows ${steps.length}`;
    throw new Failure("E945", "store", text, "use the newer sixgate, or put back a backup of the older one");
  }
  for (const [n, step] of steps.entries()) {
    if (n >= version) db.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${n + 1}; COMMIT;`);
  }
}

/** Throws unless SQLite finds nothing, every row fits its seal, and no row is missing. */
function requireWhole(db: DatabaseSync): void {
  const found = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (found !== "ok") throw new Error(String(found));
  if (schemaOf(db) !== freshSchema()) throw new Error("Its tables are not those of its version");
  const head = db.prepare("SELECT revision, sum FROM head WHERE one = 1").get();
  if (head === undefined) throw new Error("Its head is missing");
  let sum = 0n;
  for (const row of db.prepare("SELECT key, value, revision, seal FROM entries").iterate()) {
    requireSeal(row);
    if (Number(row["revision"]) > Number(head["revision"])) throw new Error("An entry is newer than the head");
    sum = sumOf(sum, 1n, String(row["seal"]));
  }
  if (sum.toString(16).padStart(16, "0") !== head["sum"])
    throw new Error("An entry is missing, or the head is not its own");
  for (const row of db.prepare("SELECT key, value, revision, seal FROM changes").iterate()) requireSeal(row);
}

function schemaOf(db: DatabaseSync): string {
  return JSON.stringify(db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").all());
}

function freshSchema(): string {
  const db = new DatabaseSync(":memory:");
  try {
    migrate(db);
    return schemaOf(db);
  } finally {
    db.close();
  }
}

/** Throws where a row is not as it was written. */
export function requireSeal(row: Readonly<Record<string, unknown>>): void {
  const value = row["value"];
  const seal = sealOf(String(row["key"]), typeof value === "string" ? value : undefined, Number(row["revision"]));
  if (seal !== row["seal"]) throw new Error(`The entry ${JSON.stringify(row["key"])} does not fit its checksum`);
}
