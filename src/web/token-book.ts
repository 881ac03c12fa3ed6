import { z } from "zod";
import { Failure } from "../base/failure.ts";
import { isName } from "../base/name.ts";
import { type Instant, instant, type Seconds } from "../base/time.ts";
import type { Person } from "../controller/controller.ts";
import type { Entry, Store } from "../store/store.ts";
import { type Role, roles } from "./role.ts";
import { fitsHash, formatToken, hashOf, newSecret, parseToken } from "./token.ts";

const recordSchema = z.strictObject({
  format: z.literal("sixgate.token/1"),
  role: z.enum(roles),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  made: z.number(),
  by: z.string(),
  ends: z.number().optional(),
});
type TokenRecord = z.output<typeof recordSchema>;

/** What is known of a token, less its secret. */
export type TokenView = {
  readonly name: string;
  readonly role: Role;
  readonly made: Instant;
  /** Whose token made it; `sixgate` for the first. */
  readonly by: string;
  /** Absent: it holds until it is revoked. */
  readonly ends?: Instant;
};

/** Whose token it is. `mark` changes when the token is revoked or made anew, so that sessions made by it end. */
export type Bearer = { readonly person: Person; readonly mark: string };

const folder = "web/token/";
/** What a token nobody has is compared with, so that an unknown name takes as long as a wrong secret. */
const nobody = hashOf(newSecret());

/** The API's tokens. The store has hashes only: who reads it can't log in. */
export class TokenBook {
  readonly #store: Store;
  readonly #now: () => Instant;
  constructor(store: Store, now: () => Instant) {
    this.#store = store;
    this.#now = now;
  }

  /** The token's text, shown this once. Rejects with E967 when the name is taken by one that still holds. */
  async create(name: string, role: Role, by: string, lasts: Seconds | undefined): Promise<string> {
    if (!isName(name))
      throw new Failure(
        "E955",
        "name",
        `Not a name: ${JSON.stringify(name)}`,
        "lower case letters, digits and -, 32 at most",
      );
    const before = await this.#store.get(folder + name);
    if (before !== undefined && this.#holds(readRecord(before)))
      throw new Failure(
        "E967",
        `token ${name}`,
        "A token of that name holds already",
        "take another name, or revoke it first",
      );
    return this.#put(name, role, by, lasts, before?.revision ?? 0);
  }

  /** As `create`, in the place of whatever has that name. */
  async replace(name: string, role: Role, by: string): Promise<string> {
    return this.#put(name, role, by, undefined, "any");
  }

  async #put(
    name: string,
    role: Role,
    by: string,
    lasts: Seconds | undefined,
    expected: number | "any",
  ): Promise<string> {
    const secret = newSecret();
    const made = this.#now();
    const record: TokenRecord = {
      format: "sixgate.token/1",
      role,
      hash: hashOf(secret),
      made,
      by,
      ...(lasts === undefined ? {} : { ends: made + lasts * 1000 }),
    };
    await this.#store.commit([{ key: folder + name, value: JSON.stringify(record), expected }]);
    return formatToken({ name, secret });
  }

  /** In order of names, those that have ended too. */
  async list(): Promise<readonly TokenView[]> {
    return (await this.#store.list(folder)).map((entry) => {
      const { role, made, by, ends } = readRecord(entry);
      const view = { name: entry.key.slice(folder.length), role, made: instant(made), by };
      return ends === undefined ? view : { ...view, ends: instant(ends) };
    });
  }

  /** False when there is none of that name. */
  async revoke(name: string): Promise<boolean> {
    const entry = await this.#store.get(folder + name);
    if (entry === undefined) return false;
    await this.#store.commit([{ key: entry.key, value: undefined, expected: entry.revision }]);
    return true;
  }

  /** Whose token that is; undefined when it is none, was revoked, has ended or has a wrong secret: nobody learns which. */
  async bearerOf(text: string): Promise<Bearer | undefined> {
    const given = parseToken(text);
    if (given === undefined) return undefined;
    const record = await this.#read(given.name);
    const fits = fitsHash(given.secret, record?.hash ?? nobody);
    return fits && record !== undefined && this.#holds(record) ? bearer(given.name, record) : undefined;
  }

  /** The same bearer as it is now; undefined once the token that `mark` was made by is gone. */
  async renewed(name: string, mark: string): Promise<Bearer | undefined> {
    const record = await this.#read(name);
    return record !== undefined && record.hash === mark && this.#holds(record) ? bearer(name, record) : undefined;
  }

  async #read(name: string): Promise<TokenRecord | undefined> {
    const entry = await this.#store.get(folder + name);
    return entry === undefined ? undefined : readRecord(entry);
  }

  #holds(record: TokenRecord): boolean {
    return record.ends === undefined || record.ends > this.#now();
  }
}

function bearer(name: string, record: TokenRecord): Bearer {
  return { person: { name, role: record.role }, mark: record.hash };
}

/** A record that can't be understood lets nobody in, and says so: it is not taken for absent. */
function readRecord(entry: Entry): TokenRecord {
  const parsed = recordSchema.safeParse(jsonOrUndefined(entry.value));
  if (parsed.success) return parsed.data;
  throw new Failure(
    "E966",
    `store ${entry.key}`,
    "Not a token's record",
    "remove the entry, then restart the controller",
  );
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
