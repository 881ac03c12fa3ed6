import type { Instant } from "../base/time.ts";
import { parseAddress } from "../net/address.ts";
import { prefixOf } from "../net/prefix.ts";

/** So many failures at once, then one more each `refill` milliseconds. */
const burst = 10;
const refill = 6000;
/** Sources that are remembered. Beyond it the one whose last failure is longest ago is forgotten. */
const most = 4096;

type Bucket = { level: number; at: Instant };

/**
 * Slows down who tries tokens. A source is an IPv4 address or an IPv6 /64, since whoever has one address of a /64
 * mostly has all of them. Sources within the limit never wait; one beyond it is turned away before its token is read.
 */
export class FailedLogins {
  readonly #now: () => Instant;
  /** In order of the last failure. */
  readonly #buckets = new Map<string, Bucket>();
  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** Seconds to wait; 0: go on. */
  wait(from: string): number {
    const bucket = this.#buckets.get(sourceOf(from));
    if (bucket === undefined) return 0;
    const over = this.#levelOf(bucket) - (burst - 1);
    return over <= 0 ? 0 : Math.ceil((over * refill) / 1000);
  }

  failed(from: string): void {
    const source = sourceOf(from);
    const bucket = this.#buckets.get(source);
    const level = bucket === undefined ? 0 : this.#levelOf(bucket);
    this.#buckets.delete(source);
    this.#buckets.set(source, { level: Math.min(burst, level + 1), at: this.#now() });
    const oldest = this.#buckets.size > most ? this.#buckets.keys().next().value : undefined;
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** A clock that went back refills nothing. */
  #levelOf(bucket: Bucket): number {
    return Math.max(0, bucket.level - Math.max(0, this.#now() - bucket.at) / refill);
  }
}

function sourceOf(from: string): string {
  const address = parseAddress(from.replace(/%.*$/, ""));
  if (address === undefined || address.startsWith("::ffff:")) return from;
  return prefixOf(address, 64);
}
