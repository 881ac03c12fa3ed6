import { instant } from "../base/time.ts";
import type { Address } from "../net/address.ts";
import { PrefixSet } from "../net/prefix-set.ts";
import type { Granted } from "./decide.ts";
import type { OpenService } from "./opening.ts";
import { compareServices, formatService } from "./services.ts";
import { anywhere } from "./source.ts";

/**
 * What grants come to at each address: for each service the sources of all who asked, those with the same end together
 * as few prefixes, and none that another one holds longer. So two containers that share an address, or two rules for one
 * port, give one state, and what ends takes nothing away from what stays. Entries of one service have no source in
 * common, but for anywhere, which stays one prefix beside what is open longer. Sorted by service, then the longest first.
 */
export function openServices(granted: readonly Granted[]): ReadonlyMap<Address, readonly OpenService[]> {
  const byAddress = new Map<Address, Map<string, Granted[]>>();
  for (const each of granted) {
    const { to, service } = each.request;
    const services = byAddress.get(to) ?? new Map<string, Granted[]>();
    const key = formatService(service);
    services.set(key, [...(services.get(key) ?? []), each]);
    byAddress.set(to, services);
  }
  return new Map(
    [...byAddress].map(([to, services]) => [
      to,
      [...services.values()].flatMap(layers).sort((a, b) => compareServices(a.service, b.service)),
    ]),
  );
}

/** One entry per end, the longest first, each with what those before it have not. */
function layers(same: readonly Granted[]): readonly OpenService[] {
  const found: OpenService[] = [];
  let open = PrefixSet.empty;
  for (const end of [...new Set(same.map(endOf))].sort((a, b) => b - a)) {
    const all = PrefixSet.of(same.filter((each) => endOf(each) === end).flatMap((each) => each.from));
    const from = open.contains(anywhere) ? [] : all.contains(anywhere) ? [anywhere] : all.subtract(open).prefixes();
    open = open.union(all);
    const service = same[0]?.request.service;
    if (from.length > 0 && service !== undefined)
      found.push({ service, from, ...(end === endless ? {} : { ends: instant(end) }) });
  }
  return found;
}

const endless = Number.POSITIVE_INFINITY;

function endOf(granted: Granted): number {
  return granted.ends ?? endless;
}
