import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { Address } from "../net/address.ts";

/** An address that is to be looked at, and the engine's event that made it so. */
export type Mark = { readonly host: HostName; readonly to: Address; readonly eventAt?: Instant };

/** Addresses to look at, taken host by host in turn: one that makes many waits for none but itself. */
export class Dirty {
  readonly #hosts = new Map<HostName, Map<Address, Instant | undefined>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Where it is there already, its place and the older event stay. */
  add({ host, to, eventAt }: Mark): void {
    const addresses = this.#hosts.get(host) ?? new Map<Address, Instant | undefined>();
    if (addresses.size === 0) this.#hosts.set(host, addresses);
    if (addresses.has(to)) {
      const older = addresses.get(to);
      if (older === undefined && eventAt !== undefined) addresses.set(to, eventAt);
      return;
    }
    addresses.set(to, eventAt);
    this.#size++;
  }

  /** The next one; its host goes behind the others. */
  take(): Mark | undefined {
    const [host] = this.#hosts.keys();
    const addresses = host === undefined ? undefined : this.#hosts.get(host);
    const first = addresses?.entries().next().value;
    if (host === undefined || addresses === undefined || first === undefined) return undefined;
    const [to, eventAt] = first;
    addresses.delete(to);
    this.#hosts.delete(host);
    if (addresses.size > 0) this.#hosts.set(host, addresses);
    this.#size--;
    return { host, to, ...(eventAt === undefined ? {} : { eventAt }) };
  }
}
