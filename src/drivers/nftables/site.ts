import { type Address, parseAddress, toBits } from "../../net/address.ts";
import { contains, lengthOf, type Prefix, parsePrefix, prefix } from "../../net/prefix.ts";
import type { Route, Site } from "../../proof/filter-rules.ts";
import { isJson, type Json, wordIn } from "./reading/json.ts";

const everywhere: Prefix = prefix("::/0");

/**
 * The routes of a Linux gateway, from `ip -6 -j route show table all` and `ip -6 -j rule`. With rules of its own for
 * which table is asked, nothing is known but what is local. Throws an Error for what is no such listing.
 */
export function parseSite(routesText: string, rulesText: string): Site {
  const entries = listIn(routesText).map(entryOf);
  const local = entries.filter((each) => each.table === "local" && each.route.kind === "local");
  if (!isUsual(listIn(rulesText))) {
    return { routes: [{ to: everywhere, kind: "unknown" }, ...local.map(({ route }) => route)] };
  }
  const main = entries.filter((each) => each.table === "main" && !isOnLink(each.route.to));
  const best = new Map<Prefix, Entry>();
  for (const entry of main) {
    const there = best.get(entry.route.to);
    if (there === undefined || entry.metric < there.metric) best.set(entry.route.to, entry);
    else if (entry.metric === there.metric)
      best.set(entry.route.to, { ...entry, route: { to: entry.route.to, kind: "unknown" } });
  }
  // The local table is asked first, so a local prefix hides every longer route in it.
  const hidden = (to: Prefix): boolean => local.some(({ route }) => lengthOf(route.to) < 128 && contains(route.to, to));
  return {
    routes: [
      ...[...best.values()].map(({ route }) => route).filter(({ to }) => !hidden(to)),
      ...local.map(({ route }) => route),
    ],
  };
}

type Entry = { readonly table: string; readonly metric: number; readonly route: Route };

function listIn(text: string): readonly Json[] {
  const list: unknown = JSON.parse(text);
  if (Array.isArray(list) && list.every(isJson)) return list;
  throw new Error(`Not a list of ip's: ${text.slice(0, 80)}`);
}

function entryOf(entry: Json): Entry {
  const to = destinationIn(wordIn(entry, "dst"));
  const table = wordIn(entry, "table") || "main";
  return { table, metric: Number(entry["metric"] ?? 0), route: routeOf(to, entry) };
}

function routeOf(to: Prefix, entry: Json): Route {
  const type = wordIn(entry, "type") || "unicast";
  if (type === "local") return { to, kind: "local" };
  if (type === "anycast") return { to, kind: "local", anycast: true };
  if (type === "unreachable" || type === "blackhole" || type === "prohibit") return { to, kind: "nowhere" };
  const device = wordIn(entry, "dev");
  // Several next hops, a tunnel by rules, or a kind that is not known.
  if (type !== "unicast" || device === "") return { to, kind: "unknown" };
  return { to, kind: "out", device };
}

function destinationIn(text: string): Prefix {
  if (text === "default") return everywhere;
  const parsed = parsePrefix(text) ?? hostPrefix(parseAddress(text));
  if (parsed === undefined) throw new Error(`Not a destination of a route: ${JSON.stringify(text)}`);
  return parsed;
}

function hostPrefix(address: Address | undefined): Prefix | undefined {
  return address === undefined ? undefined : (`${address}/128` as Prefix);
}

function isOnLink(to: Prefix): boolean {
  const bits = toBits(to.slice(0, to.indexOf("/")) as Address);
  return bits >> 118n === 0xfe80n >> 6n || bits >> 120n === 0xffn;
}

/** The local table, then the main one, whatever the packet. */
function isUsual(rules: readonly Json[]): boolean {
  const said = rules.map((rule) => `${wordIn(rule, "priority")} ${wordIn(rule, "src")} ${wordIn(rule, "table")}`);
  const plain = rules.every((rule) =>
    Object.keys(rule).every((key) => ["priority", "src", "table", "protocol"].includes(key)),
  );
  return plain && said.join(", ") === "0 all local, 32766 all main";
}
