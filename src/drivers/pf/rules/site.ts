import { type Address, isLinkLocal, parseAddress } from "../../../net/address.ts";
import { type Prefix, parsePrefix, prefix } from "../../../net/prefix.ts";
import type { Route, Site } from "../../../proof/filter-rules.ts";

/** Interfaces as `ifconfig -a` of FreeBSD shows them: IPv6 addresses without zones, and the groups they are in. */
export type Interfaces = {
  readonly addresses: ReadonlyMap<string, readonly Address[]>;
  readonly groups: ReadonlyMap<string, readonly string[]>;
};

/** Throws a RangeError where nothing in it is an interface. */
export function parseInterfaces(text: string): Interfaces {
  const addresses = new Map<string, Address[]>();
  const groups = new Map<string, string[]>();
  let name = "";
  for (const line of text.split("\n")) {
    name = /^(\S+): flags=/.exec(line)?.[1] ?? name;
    if (name === "") continue;
    const all = addresses.get(name) ?? [];
    addresses.set(name, all);
    const [, six = ""] = /^\s+inet6 ([0-9a-f:.]+)/.exec(line) ?? [];
    const address = parseAddress(six);
    if (address !== undefined) all.push(address);
    for (const group of /^\s+groups: (.*)$/.exec(line)?.[1]?.trim().split(/\s+/) ?? [])
      groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  if (addresses.size === 0) throw new RangeError("no interface in the answer of ifconfig");
  return { addresses, groups };
}

/** Routes as `netstat -rnW -f inet6` of FreeBSD shows them. Throws a RangeError where the columns are not there. */
export function parseSite(text: string, { addresses }: Interfaces): Site {
  const lines = text.split("\n").map((line) => line.trim());
  const head = lines.findIndex((line) => line.startsWith("Destination"));
  const columns = lines[head]?.split(/\s+/) ?? [];
  const [flagsAt, deviceAt] = [columns.indexOf("Flags"), columns.indexOf("Netif")];
  if (flagsAt < 0 || deviceAt < 0) throw new RangeError("no columns Flags and Netif in the answer of netstat");
  const routes = new Map<Prefix, Route>();
  for (const line of lines.slice(head + 1)) {
    const words = line.split(/\s+/);
    const to = destinationOf(words[0] ?? "");
    if (to === undefined) continue;
    const route = routeOf(to, words[flagsAt] ?? "", words[deviceAt] ?? "");
    const there = routes.get(to);
    // Two ways to one place: which of them it takes is not known.
    routes.set(to, there === undefined || sameWay(there, route) ? route : { to, kind: "unknown" });
  }
  for (const own of [...addresses.values()].flat()) {
    const to = `${own}/128` as Prefix;
    if (!isLinkLocal(own)) routes.set(to, { to, kind: "local" });
  }
  return { routes: [...routes.values()] };
}

function destinationOf(text: string): Prefix | undefined {
  if (text === "default") return prefix("::/0");
  if (text.includes("%")) return undefined;
  const one = parseAddress(text);
  return one === undefined ? parsePrefix(text) : (`${one}/128` as Prefix);
}

/** B and R: it goes nowhere, without and with an answer. A host's route over lo0 is an address of its own. */
function routeOf(to: Prefix, flags: string, device: string): Route {
  if (/[BR]/.test(flags)) return { to, kind: "nowhere" };
  if (device === "lo0") return flags.includes("H") ? { to, kind: "local" } : { to, kind: "nowhere" };
  return device === "" ? { to, kind: "unknown" } : { to, kind: "out", device };
}

function sameWay(a: Route, b: Route): boolean {
  return a.kind === b.kind && (a.kind !== "out" || b.kind !== "out" || a.device === b.device);
}
