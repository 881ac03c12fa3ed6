import type { Address } from "../net/address.ts";
import type { Endpoint } from "../openings/container-report.ts";

/** A container with its attachments, before and after a report. */
export type Claim = { readonly id: string; readonly before: readonly Endpoint[]; readonly after: readonly Endpoint[] };

/** An address that has another owner now, and the container that lost it. */
export type Moved = { readonly to: Address; readonly lost: string | undefined };

/** An opening belongs to that: a container's attachment to a network. */
export function ownerText(container: string, networkId: string): string {
  return `${container} ${networkId}`;
}

/**
 * Whose address it is, on one host. An engine hands a freed address on at once, and what we hear of it comes late and
 * out of order: an address belongs to who got it last, and what an older owner's end says does not touch it.
 */
export class Claims {
  readonly #owners = new Map<Address, string>();

  ownerOf(to: Address): string | undefined {
    return this.#owners.get(to);
  }

  /** Gives the addresses that have another owner now. An attachment that was there before takes only what nobody has. */
  put({ id, before, after }: Claim): readonly Moved[] {
    const moved: Moved[] = [];
    for (const endpoint of before) if (!includes(after, endpoint)) moved.push(...this.#leave(id, endpoint));
    for (const endpoint of after) {
      const mine = ownerText(id, endpoint.networkId);
      const owner = this.#owners.get(endpoint.address);
      if (owner === mine || (owner !== undefined && includes(before, endpoint))) continue;
      this.#owners.set(endpoint.address, mine);
      moved.push({ to: endpoint.address, lost: owner === undefined ? undefined : containerOf(owner) });
    }
    return moved;
  }

  /**
   * Several containers of one snapshot name the same address, and which of them is the newest nobody can tell: then it
   * is nobody's, until one of them is reported again.
   */
  void(to: Address): readonly Moved[] {
    const owner = this.#owners.get(to);
    this.#owners.delete(to);
    return owner === undefined ? [] : [{ to, lost: containerOf(owner) }];
  }

  #leave(id: string, { address, networkId }: Endpoint): readonly Moved[] {
    if (this.#owners.get(address) !== ownerText(id, networkId)) return [];
    this.#owners.delete(address);
    return [{ to: address, lost: id }];
  }
}

/** Ids of containers have no spaces. */
export function containerOf(owner: string): string {
  return owner.slice(0, owner.indexOf(" "));
}

function includes(endpoints: readonly Endpoint[], wanted: Endpoint): boolean {
  return endpoints.some((each) => each.address === wanted.address && each.networkId === wanted.networkId);
}

/** Addresses that more than one claims anew: what a snapshot can't settle. */
export function contested(claims: readonly Claim[]): readonly Address[] {
  const fresh = new Map<Address, number>();
  for (const { before, after } of claims)
    for (const endpoint of after)
      if (!includes(before, endpoint)) fresh.set(endpoint.address, (fresh.get(endpoint.address) ?? 0) + 1);
  return [...fresh].filter(([, count]) => count > 1).map(([to]) => to);
}
