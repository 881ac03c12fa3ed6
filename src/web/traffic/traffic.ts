import { Failure } from "../../base/failure.ts";
import type { HostName } from "../../base/name.ts";
import type { Instant } from "../../base/time.ts";
import type { Controller, OpeningView } from "../../controller/controller.ts";
import type { Count } from "../../drivers/members-lane.ts";
import { overlaps } from "../../net/prefix.ts";
import type { Service } from "../../openings/opening.ts";

/** What an opening let in since the gateway has it; `why`: it is not known, which is not nothing. */
export type Counters =
  | { readonly packets: number; readonly bytes: number; readonly at: Instant }
  | { readonly why: string };

/** Milliseconds that a reading is good for: however many look, the gateway is asked no more often. */
const age = 5_000;

type Read = { readonly at: Instant; readonly counts: readonly Count[] | { readonly why: string } };

/** Counters of openings, read from the gateway only while somebody looks, host by host. */
export class Traffic {
  readonly #controller: Pick<Controller, "counts">;
  readonly #now: () => Instant;
  readonly #read = new Map<HostName, Read>();
  #earlier: Promise<unknown> = Promise.resolve();
  constructor(controller: Pick<Controller, "counts">, now: () => Instant) {
    this.#controller = controller;
    this.#now = now;
  }

  /** In the order of the openings. */
  async of(openings: readonly OpeningView[]): Promise<readonly Counters[]> {
    const hosts = [...new Set(openings.map(({ host }) => host))];
    // One reading at a time: who waits finds what the one before him has read.
    const mine = this.#earlier.then(() => this.#renew(hosts));
    this.#earlier = mine.catch(() => undefined);
    await mine;
    return openings.map((opening) => countersOf(opening, this.#read.get(opening.host)));
  }

  async #renew(hosts: readonly HostName[]): Promise<void> {
    for (const [host, { at }] of this.#read) if (this.#now() - at >= age) this.#read.delete(host);
    const stale = hosts.filter((host) => !this.#read.has(host));
    if (stale.length === 0) return;
    const found = await this.#controller.counts(stale).catch((cause: unknown): { readonly why: string } => {
      if (cause instanceof Failure) return { why: `The gateway can't be read: ${cause.diagnostic.text}` };
      throw cause;
    });
    const at = this.#now();
    const counts = found ?? { why: "This gateway does not count" };
    for (const host of stale) this.#read.set(host, { at, counts });
  }
}

function countersOf(opening: OpeningView, read: Read | undefined): Counters {
  if (read === undefined) return { why: "It was not read" };
  const { counts, at } = read;
  if ("why" in counts) return counts;
  const own = counts.filter((each) => each.to === opening.to && isOf(each, opening));
  if (own.length === 0) return { why: "The gateway has no counter for it" };
  return {
    packets: own.reduce((sum, { packets }) => sum + packets, 0),
    bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
    at,
  };
}

/** Openings that overlap share elements: what such an element let in counts for each of them. */
function isOf(count: Count, { service, from }: OpeningView): boolean {
  return overlap(count.service, service) && from.some((mine) => count.from.some((each) => overlaps(mine, each)));
}

function overlap(a: Service, b: Service): boolean {
  if (a.kind === "ping" || b.kind === "ping") return a.kind === b.kind;
  return a.transport === b.transport && a.ports.first <= b.ports.last && b.ports.first <= a.ports.last;
}
