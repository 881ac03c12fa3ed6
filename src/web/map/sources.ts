import type { Basis } from "../../controller/controller.ts";
import type { Address } from "../../net/address.ts";
import { contains, lengthOf, type Prefix } from "../../net/prefix.ts";

/** Who may send: `internet` is everybody, a `group` is one of the fleet file, a `host` sends from its own block. */
export type Source = {
  readonly kind: "internet" | "group" | "host" | "prefix";
  readonly name: string;
  readonly prefixes: readonly Prefix[];
};

const internet: Source = { kind: "internet", name: "internet", prefixes: ["::/0" as Prefix] };

/** The sources that the fleet file names: everybody first, then the groups in order of their names. */
export function namedSources({ fleet }: Basis): readonly Source[] {
  const groups = [...fleet.groups].map(([name, prefixes]): Source => ({ kind: "group", name, prefixes }));
  return [internet, ...groups.sort((a, b) => (a.name < b.name ? -1 : 1))];
}

/** Tells which source packets with such an address are of: the narrowest that the fleet knows. */
export class SourceNames {
  readonly #named: readonly Source[];
  readonly #basis: Basis;
  readonly #known = new Map<string, Source>();
  constructor(basis: Basis) {
    this.#named = namedSources(basis);
    this.#basis = basis;
  }

  get named(): readonly Source[] {
    return this.#named;
  }

  /** Of what an opening names: a prefix in no group is a source by itself. */
  of(from: Prefix): Source {
    const known = this.#known.get(from);
    if (known !== undefined) return known;
    const found = this.#find(from) ?? (from === "::/0" ? internet : { kind: "prefix", name: from, prefixes: [from] });
    // Who opens to many strangers doesn't fill the memory: a picture lives for one answer.
    this.#known.set(from, found);
    return found;
  }

  /** Of a packet that came: from nobody that the fleet names it is from the Internet. */
  ofPacket(from: Address): Source {
    return this.#find(from) ?? internet;
  }

  #find(from: Prefix | Address): Source | undefined {
    let best: { readonly source: Source; readonly length: number } | undefined;
    for (const source of this.#named) {
      if (source.kind !== "group") continue;
      for (const each of source.prefixes)
        if (contains(each, from) && (best === undefined || lengthOf(each) > best.length))
          best = { source, length: lengthOf(each) };
    }
    if (best !== undefined) return best.source;
    const host = this.#basis.plan.hosts.find(({ block }) => contains(block, from));
    return host === undefined ? undefined : { kind: "host", name: host.host, prefixes: [host.block] };
  }
}
