import { randomBytes } from "node:crypto";
import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import { printable } from "../base/printable.ts";
import type { Instant } from "../base/time.ts";
import { type Address, parseAddress } from "../net/address.ts";
import { contains } from "../net/prefix.ts";
import { type Decision, decide, type Granted } from "../openings/decide.ts";
import type { Request } from "../openings/request.ts";
import { formatService } from "../openings/services.ts";
import { formatPrefix } from "../openings/source.ts";
import type { Store, Write } from "../store/store.ts";
import type { Book } from "./book.ts";
import type { OpenWish, Person } from "./controller.ts";

/** What a person has opened, as it is kept. */
export type Wish = {
  readonly by: string;
  readonly reason: string;
  readonly granted: Granted;
};

const prefix = "wish/";
const longestReason = 300;

/** Where a person's wish goes: an address, with the container that has it now, if one has. */
type Target = { readonly host: HostName; readonly to: Address; readonly holder?: NonNullable<Request["holder"]> };

/**
 * What people opened by themselves: kept in the store until its end, so that it outlives a controller. Changes nothing
 * in the book; who calls does, once the store has it.
 */
export class People {
  readonly #store: Store;
  readonly #wishes = new Map<string, Wish>();

  constructor(store: Store) {
    this.#store = store;
  }

  async load(): Promise<readonly Wish[]> {
    for (const { key, value } of await this.#store.list(prefix))
      this.#wishes.set(key.slice(prefix.length), JSON.parse(value) as Wish);
    return [...this.#wishes.values()];
  }

  /** By the key of its request. */
  find(key: string): Wish | undefined {
    return this.#wishes.get(key);
  }

  all(): readonly Wish[] {
    return [...this.#wishes.values()];
  }

  async add(wishes: readonly Wish[], more: readonly Write[]): Promise<number> {
    const revision = await this.#store.commit([...wishes.map(toWrite), ...more]);
    for (const wish of wishes) this.#wishes.set(wish.granted.request.key, wish);
    return revision;
  }

  /** Forgets them at once, and in the store when it takes it. */
  async remove(keys: readonly string[], more: readonly Write[] = []): Promise<number> {
    for (const key of keys) this.#wishes.delete(key);
    const writes = keys.map((key): Write => ({ key: prefix + key, value: undefined, expected: "any" }));
    return await this.#store.commit([...writes, ...more]);
  }

  /** The clock was set by so many milliseconds. */
  async shift(granted: readonly Granted[]): Promise<void> {
    const moved: Wish[] = [];
    for (const each of granted) {
      const wish = this.#wishes.get(each.request.key);
      if (wish !== undefined) moved.push({ ...wish, granted: each });
    }
    for (const wish of moved) this.#wishes.set(wish.granted.request.key, wish);
    await this.#store.commit(moved.map(toWrite));
  }
}

function toWrite(wish: Wish): Write {
  return { key: prefix + wish.granted.request.key, value: JSON.stringify(wish), expected: "any" };
}

export type WishGround = {
  readonly book: Book;
  /** Whether an agent speaks for the host. Where none does, nobody can know whose an address is. */
  readonly isEnrolled: (host: HostName) => boolean;
};

/**
 * The wish as policy grants it: one for each address and service, all of them or none. Throws a Failure: E951, E953,
 * E948, or the code of the first refusal.
 */
export function grantWish(ground: WishGround, by: Person, wish: OpenWish, now: Instant): readonly Wish[] {
  const { book } = ground;
  requireOperator(by, "open");
  const reason = requireReason(wish.reason);
  if (!(wish.lasts > 0)) throw new Failure("E953", wish.to, "An opening by a person needs an end", "say for how long");
  if (wish.services.length === 0 || wish.from.length === 0)
    throw new Failure("E948", wish.to, "Nothing to open, or to nobody", "name a port or ping, and a source or any");
  const requests = targetsOf(ground, wish.to).flatMap((target) =>
    wish.services.map(
      (service): Request => ({
        key: `p-${randomBytes(9).toString("base64url")}`,
        by: "people",
        ...target,
        service,
        from: wish.from.map((each) => ({ kind: "prefix", prefix: each })),
        lease: { kind: "for", length: wish.lasts },
        since: now,
        asked: {
          at: printable(by.name),
          text: `${formatService(service)} from ${wish.from.map(formatPrefix).join(",")}`,
        },
      }),
    ),
  );
  const granted = requests.map((request) => grantedOr(decide(book.rules.policy, request, book.context, now)));
  requireRoom(book, granted);
  return granted.map((each) => ({ by: by.name, reason, granted: each }));
}

export function requireOperator(by: Person, what: string): void {
  if (by.role === "viewer")
    throw new Failure("E951", by.name, `A viewer may not ${what}`, "ask somebody who is operator or admin");
}

export function requireAdmin(by: Person, what: string): void {
  if (by.role !== "admin") throw new Failure("E951", by.name, `Only an admin may ${what}`, "ask an admin");
}

/** Never empty, and not of any length. */
export function requireReason(text: string): string {
  const reason = text.trim().slice(0, longestReason).toWellFormed();
  if (reason === "") throw new Failure("E953", "reason", "A reason is needed", "say why: it is kept in the journal");
  return reason;
}

function grantedOr(decision: Decision): Granted {
  if (decision.kind === "granted") return decision;
  const { code, at, why, fix } = decision.refusal;
  throw new Failure(code, at, why, fix);
}

function requireRoom(book: Book, granted: readonly Granted[]): void {
  const { perHost } = book.rules.policy.limits;
  for (const [host, mine] of Map.groupBy(granted, ({ request }) => request.host)) {
    if (book.host(host).openings + mine.length <= perHost) continue;
    const text = `Policy gives one host ${perHost} openings`;
    throw new Failure("E918", host, text, "close others, or raise policy.limits.per-host");
  }
}

function targetsOf(ground: WishGround, text: string): readonly Target[] {
  const to = parseAddress(text);
  return to === undefined ? targetsByName(ground.book, text) : [targetAt(ground, to)];
}

function targetAt({ book, isEnrolled }: WishGround, to: Address): Target {
  const host = [...book.rules.hosts].find(([, { block }]) => contains(block, to))?.[0];
  if (host === undefined)
    throw new Failure("E948", to, "No host has this address in its block", "look at `sixgate addr`");
  if (!book.isComplete(host)) {
    if (!isEnrolled(host)) return { host, to };
    throw notYet(host);
  }
  const owner = book.host(host).ownerOf(to);
  if (owner === undefined)
    throw new Failure("E948", to, `No container of ${host} has this address now`, "start the container first");
  return { host, to, holder: holderOf(owner) };
}

function targetsByName(book: Book, text: string): readonly Target[] {
  const slash = text.indexOf("/");
  const [host, name] = [text.slice(0, slash) as HostName, text.slice(slash + 1)];
  if (slash < 1 || !book.rules.hosts.has(host))
    throw new Failure("E948", text, "Neither an address nor a host and its container", "write it as vm1/web");
  if (!book.isComplete(host)) throw notYet(host);
  const known = [...book.host(host).containers()].filter(
    ({ report }) => report.name === name || (name.length >= 12 && report.id.startsWith(name)),
  );
  const [only] = known;
  if (only === undefined || known.length > 1) {
    const count = known.length === 0 ? "No container" : `${known.length} containers`;
    throw new Failure("E948", text, `${count} of ${host} by this name`, "name it as `docker ps` does");
  }
  const { report, endpoints } = only;
  const mine = endpoints.filter(
    ({ address, networkId }) => book.host(host).ownerOf(address) === `${report.id} ${networkId}`,
  );
  if (mine.length === 0)
    throw new Failure(
      "E948",
      text,
      "The container has no address of its own",
      "open it at the one whose networks it shares",
    );
  return mine.map(({ address, networkId }) => ({ host, to: address, holder: { container: report.id, networkId } }));
}

function holderOf(owner: string): NonNullable<Request["holder"]> {
  const space = owner.indexOf(" ");
  return { container: owner.slice(0, space), networkId: owner.slice(space + 1) };
}

function notYet(host: HostName): Failure {
  const text = `Nothing is known of ${host}'s containers now`;
  return new Failure("E948", host, text, "wait for its agent, or see why it is silent");
}

/** Whether it is over. One without an end never was a wish of a person. */
export function isOver({ granted: { ends } }: Wish, now: Instant): boolean {
  return ends === undefined || ends <= now;
}
