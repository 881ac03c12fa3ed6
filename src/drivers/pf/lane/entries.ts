import type { HostName } from "../../../base/name.ts";
import { compareKeys } from "../../../base/order.ts";
import { type Instant, instant } from "../../../base/time.ts";
import type { Address } from "../../../net/address.ts";
import type { Prefix } from "../../../net/prefix.ts";
import { PrefixSet } from "../../../net/prefix-set.ts";
import { isTransport } from "../../../net/transport.ts";
import type { OpenService, Service } from "../../../openings/opening.ts";
import { formatService } from "../../../openings/services.ts";
import type { AddressChange, Held } from "../../members-lane.ts";
import { serviceAlias } from "../names.ts";

/** One address in one of the lane's tables. */
export type Entry = {
  readonly table: string;
  readonly to: Address;
  readonly service: Service;
  readonly from: readonly Prefix[];
  readonly ends?: Instant;
};

/** What a table's name says: its service, and the hash of its sources where it is not open to anyone. */
export type TableName = { readonly service: Service; readonly timed: boolean; readonly sources?: string };

/**
 * What can be held: sources as few prefixes, one end for each service from the same sources, the latest. An opening
 * without an end is one of its own, in a table of its own.
 */
export function normalize(services: readonly OpenService[]): readonly OpenService[] {
  const merged = [...Map.groupBy(services, (each) => `${formatService(each.service)} ${each.ends ?? ""}`).values()];
  const found = new Map<string, OpenService>();
  for (const group of merged) {
    const [first] = group;
    if (first === undefined) continue;
    const from = PrefixSet.of(group.flatMap((each) => each.from)).prefixes();
    const key = tableOf({ ...first, from });
    const there = found.get(key);
    if (there === undefined || (there.ends ?? 0) < (first.ends ?? 0)) found.set(key, { ...first, from });
  }
  return [...found].sort(([a], [b]) => compareKeys(a, b)).map(([, each]) => each);
}

function tableOf({ service, from, ends }: OpenService): string {
  return serviceAlias(ends === undefined ? "l" : "t", service, from);
}

export function entriesAt(to: Address, services: readonly OpenService[]): readonly Entry[] {
  return normalize(services).map((each) => ({ table: tableOf(each), to, ...each }));
}

/** One address from a state to the next, as entries. */
export type Step = {
  readonly host: HostName;
  readonly to: Address;
  readonly gone: readonly Entry[];
  /** With those whose end alone is another. */
  readonly there: readonly Entry[];
  /** What is open there from now on. */
  readonly after: readonly OpenService[];
  /** Whether flows may go on that are not let in any more. */
  readonly closes: boolean;
};

/** What has ended by `now` is not put there any more. */
export function stepOf({ host, to, before, after }: AddressChange, now: Instant): Step {
  const standing = after.filter((each) => each.ends === undefined || each.ends > now);
  const [old, next] = [entriesAt(to, before), entriesAt(to, standing)];
  const kept = new Map(next.map((each) => [each.table, each]));
  const known = new Map(old.map((each) => [each.table, each]));
  const gone = old.filter(({ table }) => !kept.has(table));
  return {
    host,
    to,
    gone,
    there: next.filter((each) => !known.has(each.table) || known.get(each.table)?.ends !== each.ends),
    after: standing,
    closes: gone.length > 0,
  };
}

/** `sgt_tcp_8000_8099_1a2b3c4d`; undefined for a name that we don't give. */
export function parseTableName(name: string): TableName | undefined {
  const [, lane, words = "", sources] =
    /^sg([lt])_(ping|[a-z]+_\d{1,5}(?:_\d{1,5})?)(?:_([0-9a-f]{8}))?$/.exec(name) ?? [];
  const [transport = "", first, last = first] = words.split("_");
  const rest = { timed: lane === "t", ...(sources === undefined ? {} : { sources }) };
  if (transport === "ping") return { service: { kind: "ping" }, ...rest };
  if (!isTransport(transport)) return undefined;
  return { service: { kind: "ports", transport, ports: { first: Number(first), last: Number(last) } }, ...rest };
}

/** Entries by address, in the form that `normalize` gives. Sorted by address. */
export function heldOf(entries: readonly Entry[], hostOf: (to: Address) => HostName | undefined): readonly Held[] {
  return [...Map.groupBy(entries, (each) => each.to)]
    .sort(([a], [b]) => compareKeys(a, b))
    .flatMap(([to, all]) => {
      const host = hostOf(to);
      return host === undefined ? [] : [{ host, to, services: servicesOf(all) }];
    });
}

export function servicesOf(entries: readonly Entry[]): readonly OpenService[] {
  return entries
    .toSorted((a, b) => compareKeys(a.table, b.table))
    .map(({ service, from, ends }) => ({ service, from, ...(ends === undefined ? {} : { ends }) }));
}

/** A line of the device's file of ends: `TABLE ADDRESS MILLISECONDS`. */
export function endIn(line: string): readonly [key: string, ends: Instant] | undefined {
  const [, key, ends] = /^(\S+ \S+) (\d+)$/.exec(line) ?? [];
  return key === undefined ? undefined : [key, instant(Number(ends))];
}
