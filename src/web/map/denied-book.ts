import type { Controller, ControllerEvent } from "../../controller/controller.ts";
import type { Address } from "../../net/address.ts";
import { type Prefix, prefixOf } from "../../net/prefix.ts";

type Denied = Extract<ControllerEvent, { kind: "denied" }>;

/** Packets that the gateway dropped, alike ones together. Samples: the gateway tells of some a second. */
export type DeniedGroup = {
  /** The sender's /64: who sends from a new address each time is one sender. */
  readonly from: Prefix;
  /** The newest sender of them. */
  readonly example: Address;
  readonly to: Address;
  readonly transport: string;
  readonly port?: number;
  /** In the time that is looked back on. */
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly last: number;
};

const minute = 60_000;
/** Minutes that are looked back on. */
const span = 5;
/** Groups that are kept. A scan makes thousands: then the oldest make room. */
const most = 2000;

type Kept = {
  readonly from: Prefix;
  example: Address;
  readonly to: Address;
  readonly transport: string;
  readonly port: number | undefined;
  /** Packets of a minute, by that minute's number. */
  readonly minutes: Map<number, number>;
  last: number;
};

/** What was denied in the last five minutes, for pictures: bounded, and forgotten at a restart. */
export class DeniedBook {
  /** In the order of the last packet. */
  readonly #groups = new Map<string, Kept>();
  readonly #unwatch: () => void;
  constructor(controller: Pick<Controller, "watch">) {
    this.#unwatch = controller.watch((event) => {
      if (event.kind === "denied") this.#take(event);
    });
  }

  /** The newest first. */
  groups(now: number): readonly DeniedGroup[] {
    const found: DeniedGroup[] = [];
    for (const [key, kept] of this.#groups) {
      if (kept.last <= now - span * minute) {
        this.#groups.delete(key);
        continue;
      }
      const { from, example, to, transport, port, last } = kept;
      const count = countOf(kept, now);
      found.push({ from, example, to, transport, ...(port === undefined ? {} : { port }), count, last });
    }
    return found.reverse();
  }

  end(): void {
    this.#unwatch();
    this.#groups.clear();
  }

  #take({ at, from, to, transport, port, count }: Denied): void {
    const sender = prefixOf(from, 64);
    const key = `${sender} ${to} ${transport} ${port ?? ""}`;
    const kept = this.#groups.get(key) ?? {
      from: sender,
      example: from,
      to,
      transport,
      port,
      minutes: new Map(),
      last: at,
    };
    const now = Math.floor(at / minute);
    kept.minutes.set(now, (kept.minutes.get(now) ?? 0) + count);
    for (const each of kept.minutes.keys()) if (each <= now - span) kept.minutes.delete(each);
    kept.example = from;
    kept.last = at;
    this.#groups.delete(key);
    this.#groups.set(key, kept);
    if (this.#groups.size <= most) return;
    const [oldest] = this.#groups.keys();
    if (oldest !== undefined) this.#groups.delete(oldest);
  }
}

function countOf({ minutes }: Kept, now: number): number {
  const first = Math.floor(now / minute) - span;
  let sum = 0;
  for (const [each, count] of minutes) if (each > first) sum += count;
  return sum;
}
