import { parseAddress } from "../../../net/address.ts";
import { parseMac } from "../../../net/mac.ts";
import { macValue } from "../../../proof/arrivals.ts";
import type { Elements, Part, Verdict } from "../../../proof/filter-rules.ts";
import { isJson } from "./json.ts";
import { messageNames, type Names, protocolNames, stateNames } from "./names.ts";
import { small, spanIn, unwrapped } from "./spans.ts";

/** Types whose values nft may write as words. */
const namesOf: Readonly<Record<string, Names>> = {
  inet_proto: protocolNames,
  icmpv6_type: messageNames,
  ct_state: stateNames,
};

const none: Names = {};

export type Listed = {
  readonly name: string;
  /** Of each column, as nft calls it; undefined where a newer nft writes it otherwise: then values are read by their look. */
  readonly types: readonly (string | undefined)[];
  readonly elements: readonly unknown[];
  /** How a verdict is read; absent for a set. */
  readonly verdict?: (value: unknown) => Verdict;
  readonly isLive: boolean;
};

/** A set or a verdict map, column by column. An element of a form that is not understood is an opaque part. */
export function readElements({ name, types, elements, verdict, isLive }: Listed): Elements {
  const columns: Part[][] = types.map(() => []);
  const verdicts: Verdict[] = [];
  let otherwise: Verdict | true | undefined;
  for (const element of elements) {
    const [left, right] = verdict !== undefined && Array.isArray(element) ? element : [element, undefined];
    const key: unknown = unwrapped(left);
    const then = verdict?.(right);
    if (key === "*") {
      otherwise = then ?? true;
      continue;
    }
    const parts: readonly unknown[] = isJson(key) && Array.isArray(key["concat"]) ? key["concat"] : [key];
    for (let column = 0; column < columns.length; column++) {
      columns[column]?.push(partIn(parts[column], types[column]));
    }
    if (then !== undefined) verdicts.push(then);
  }
  return {
    name,
    columns,
    ...(verdict === undefined ? {} : { verdicts }),
    ...(otherwise === undefined ? {} : { otherwise }),
    isLive,
  };
}

export function partIn(value: unknown, type: string | undefined): Part {
  if (typeof value === "number") return value;
  if (typeof value === "string") {
    if (type === "ifname" || type === "iface_index") return value;
    const address = type === undefined || type === "ipv6_addr" ? parseAddress(value) : undefined;
    if (address !== undefined) return address;
    if (parseMac(value) !== undefined) return macValue(value);
    if (type === undefined) return value;
  }
  const span = spanIn(value, namesOf[type ?? ""] ?? none);
  if (span === undefined) return { opaque: JSON.stringify(value)?.slice(0, 60) ?? "nothing" };
  const isAddress = type === "ipv6_addr" || (type === undefined && span.last > 0xffff_ffff_ffffn);
  if (isAddress) return span;
  return span.first === span.last ? Number(span.first) : small(span);
}
