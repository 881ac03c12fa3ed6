import type { Instant } from "../base/time.ts";
import type { Address } from "../net/address.ts";
import type { ContainerReport, Endpoint } from "../openings/container-report.ts";
import type { Decision, Granted } from "../openings/decide.ts";
import type { Refusal } from "../openings/refusal.ts";
import type { Request } from "../openings/request.ts";
import { formatService } from "../openings/services.ts";

/** A container as it was last reported, and what came of it. */
export type Known = {
  readonly report: ContainerReport;
  /** The report as text: to see that nothing is new. */
  readonly text: string;
  /** Attachments with addresses that this host may have. */
  readonly endpoints: readonly Endpoint[];
  /** When it was first seen: leases count from there. */
  readonly since: Instant;
  readonly asked: Asked;
};

/** What a container asks for, and the answers. */
export type Asked = {
  readonly requests: readonly Request[];
  readonly decisions: readonly Decision[];
  /** What could not even be read. */
  readonly unread: readonly Refusal[];
  /** Names of other containers that its sources stand for. */
  readonly names: readonly string[];
  /** The next moment at which one of its openings ends. */
  readonly ends: Instant | undefined;
};

export const nothingAsked: Asked = { requests: [], decisions: [], unread: [], names: [], ends: undefined };

export function namesIn(requests: readonly Request[]): readonly string[] {
  const names = requests.flatMap(({ from }) => from.flatMap((each) => (each.kind === "containers" ? [each.name] : [])));
  return [...new Set(names)];
}

export function nextEnd(decisions: readonly Decision[]): Instant | undefined {
  let next: Instant | undefined;
  for (const each of decisions) {
    if (each.kind === "granted" && each.ends !== undefined && (next === undefined || each.ends < next))
      next = each.ends;
  }
  return next;
}

/** Who may be refused for being one too many, and which of them stands: `limit` of the policy, by what it counts. */
export type Limits = { readonly perContainer: number; readonly perHost: number };

/** An opening is one service at one address, whoever asks for it and however often. */
function openingOf({ to, service }: Request): string {
  return `${to} ${formatService(service)}`;
}

/** All that is granted on a host: by address, and counted. */
export class Grants {
  readonly #byAddress = new Map<Address, Map<string, Granted>>();
  readonly #openings = new Map<string, number>();
  readonly #ofContainers = new Map<string, Map<string, number>>();
  readonly #crowded = new Set<string>();
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  at(to: Address): Iterable<Granted> {
    return this.#byAddress.get(to)?.values() ?? [];
  }

  addresses(): Iterable<Address> {
    return this.#byAddress.keys();
  }

  *all(): Generator<Granted> {
    for (const granted of this.#byAddress.values()) yield* granted.values();
  }

  /** Distinct openings on the host. */
  get size(): number {
    return this.#openings.size;
  }

  isWithinLimits(): boolean {
    return this.#openings.size <= this.#limits.perHost && this.#crowded.size === 0;
  }

  /** Whether it is a new one. */
  put(granted: Granted): boolean {
    const { request } = granted;
    const there = this.#byAddress.get(request.to) ?? new Map<string, Granted>();
    if (there.size === 0) this.#byAddress.set(request.to, there);
    const isNew = !there.has(request.key);
    there.set(request.key, granted);
    if (isNew) this.#count(request, 1);
    return isNew;
  }

  drop(request: Request): void {
    const there = this.#byAddress.get(request.to);
    if (there?.delete(request.key) !== true) return;
    if (there.size === 0) this.#byAddress.delete(request.to);
    this.#count(request, -1);
  }

  #count(request: Request, by: 1 | -1): void {
    const opening = openingOf(request);
    tally(this.#openings, opening, by);
    const { container } = request;
    if (container === undefined) return;
    const own = this.#ofContainers.get(container) ?? new Map<string, number>();
    if (own.size === 0) this.#ofContainers.set(container, own);
    tally(own, opening, by);
    if (own.size > this.#limits.perContainer) this.#crowded.add(container);
    else this.#crowded.delete(container);
    if (own.size === 0) this.#ofContainers.delete(container);
  }
}

function tally(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
