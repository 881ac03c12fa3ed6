import type { Address } from "../net/address.ts";
import type { OpenService } from "../openings/opening.ts";

/**
 * What the gateway was found to hold for a host, by address. Looked up only when somebody asks: a start with a million
 * of them should not wait for an index that most hosts' first report makes needless.
 */
export class Found {
  readonly #addresses: Address[] = [];
  readonly #services: (readonly OpenService[])[] = [];
  #places: Map<Address, number> | undefined;

  /** Each address once. */
  add(to: Address, services: readonly OpenService[]): void {
    this.#places?.set(to, this.#addresses.length);
    this.#addresses.push(to);
    this.#services.push(services);
  }

  get(to: Address): readonly OpenService[] {
    this.#places ??= new Map(this.#addresses.map((each, place) => [each, place]));
    const place = this.#places.get(to);
    return (place === undefined ? undefined : this.#services[place]) ?? [];
  }

  /** Changes what is held at each address, or at one. */
  change(work: (services: readonly OpenService[]) => readonly OpenService[], to?: Address): void {
    if (to !== undefined) this.get(to);
    const only = to === undefined ? undefined : this.#places?.get(to);
    const places = to === undefined ? this.#services.keys() : only === undefined ? [] : [only];
    for (const place of places) this.#services[place] = work(this.#services[place] ?? []);
  }

  addresses(): readonly Address[] {
    return this.#addresses;
  }

  *entries(): Generator<readonly [Address, readonly OpenService[]]> {
    for (const [place, to] of this.#addresses.entries()) yield [to, this.#services[place] ?? []];
  }

  /** How many openings. */
  get count(): number {
    return this.#services.reduce((sum, each) => sum + each.length, 0);
  }
}
