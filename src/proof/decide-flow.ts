import { fromBits, toBits } from "../net/address.ts";
import { prefix } from "../net/prefix.ts";
import { PrefixTable } from "../net/prefix-table.ts";
import { fixedRoute, isOwn } from "./destinations.ts";
import type { FilterRules, Hook, Place, Route, Site, Stage } from "./filter-rules.ts";
import type { Packet } from "./packet.ts";
import { isRouted, pointAt } from "./point.ts";
import { runChain, stateAt, type Trip } from "./trip.ts";

/**
 * What becomes of one packet. `unknown` where the answer hangs on a rule that is not understood, or on which way the
 * gateway would send it. `by` is the rule or the policy that decided; absent where no rule did (`why` says it then).
 */
export type Decision = {
  readonly verdict: "accept" | "drop" | "reject" | "unknown";
  readonly stage: Stage | "routing";
  readonly by?: Place;
  /** The rules that led there: jumps from chain to chain, and at hooks before it what let the packet on. */
  readonly trail: readonly Place[];
  readonly why?: string;
  /** Rules of chance (a rate, a quota) that were met; a lone packet decided them. */
  readonly chances: readonly Place[];
};

/** How rules of chance fall: as for a lone packet, or turned for those whose number is named, in the order met. */
export type Luck = ReadonlySet<number>;

/** The rule that decides a packet, asked rule by rule: no sets, no arithmetic. */
export function decideFlow(rules: FilterRules, site: Site, packet: Packet, luck: Luck = new Set()): Decision {
  const routes = new PrefixTable<Route>();
  for (const each of site.routes) routes.set(each.to, each);
  const route = routeOf(routes, packet);
  const out = route.kind === "out" ? route.device : route.kind === "unknown" ? undefined : "";
  const trip: Trip = {
    rules,
    site,
    routes,
    packet,
    luck,
    isLocal: isOwn(route, toBits(packet.to)),
    marks: { mark: 0, flowMark: 0, dscp: Number(packet.values.dscp), untracked: false },
    trail: [],
    chances: [],
  };
  let opener: Place | undefined;
  for (const stage of stagesOf(route)) {
    if (stage === "routing") {
      const refused = routed(route, packet);
      if (refused === undefined) continue;
      return { verdict: "drop", stage, trail: trip.trail, chances: trip.chances, why: refused };
    }
    const ends = { in: packet.in, out: isRouted(stage) ? out : "" };
    const device = stage === "ingress" ? ends.in : ends.out;
    for (const hook of rules.hooks) {
      if (hook.stage !== stage) continue;
      if (hook.devices !== undefined && (device === undefined || !hook.devices.includes(device))) continue;
      const decided = atHook(hook, trip, ends);
      if (decided.verdict !== "accept") return decided;
      // Where the policy would have dropped it, that rule is the one that counts.
      if (hook.policy === "drop") opener = decided.by;
    }
  }
  const by = opener ?? trip.trail.at(-1);
  const stage = route.kind === "local" ? "input" : "forward";
  return {
    verdict: "accept",
    stage,
    ...(by === undefined ? {} : { by }),
    trail: trip.trail,
    chances: trip.chances,
  };
}

/** The decision that `wanted` names, if any luck leads to it; else the one of a lone packet. */
export function decideAs(rules: FilterRules, site: Site, packet: Packet, wanted: Decision["verdict"]): Decision {
  const usual = decideFlow(rules, site, packet);
  if (usual.verdict === wanted) return usual;
  const tried: Luck[] = [new Set()];
  for (let at = 0; at < tried.length && at < 64; at++) {
    const luck = tried[at] as Luck;
    const decision = decideFlow(rules, site, packet, luck);
    if (decision.verdict === wanted) return decision;
    const first = Math.max(-1, ...luck) + 1;
    for (let turned = first; turned < decision.chances.length; turned++) tried.push(new Set([...luck, turned]));
  }
  return usual;
}

function stagesOf(route: Route): readonly (Stage | "routing")[] {
  return route.kind === "local"
    ? ["ingress", "prerouting", "input"]
    : ["ingress", "prerouting", "routing", "forward", "postrouting", "egress"];
}

/** Why a router does not hand the packet on. */
function routed(route: Route, packet: Packet): string | undefined {
  if (route.kind === "nowhere") return `No route to ${packet.to}`;
  if (Number(packet.values.hops) < 2) return "Its hop limit ends here";
  const from = BigInt(packet.values.from);
  const staysOnLink = from === 0n || from >> 118n === 0xfe80n >> 6n;
  if (staysOnLink && route.kind === "out" && route.device !== packet.in)
    return `A source that stays on its link: ${fromBits(from)}`;
  return undefined;
}

function routeOf(routes: PrefixTable<Route>, packet: Packet): Route {
  const fixed = fixedRoute(toBits(packet.to));
  if (fixed !== undefined) return fixed;
  return routes.get(packet.to) ?? { to: prefix("::/0"), kind: "nowhere" };
}

function atHook(hook: Hook, trip: Trip, ends: { in: string; out: string | undefined }): Decision {
  const point = pointAt(hook.stage, hook.priority, ends);
  if (hook.asks === "flows" && stateAt({ isTracked: true }, trip) !== "new") return result("accept", hook, trip);
  const passed = trip.trail.length;
  const end = runChain(hook.chain, point, trip);
  const { verdict } = end;
  if (verdict.kind === "unknown") return { ...result("unknown", hook, trip, end.by), why: verdict.why };
  if (verdict.kind === "drop" || verdict.kind === "reject") return result(verdict.kind, hook, trip, end.by);
  if (verdict.kind === "accept" && end.by !== undefined) {
    // Jumps stay in the trail where they led to the rule that let it on.
    trip.trail.push(end.by);
    return result("accept", hook, trip, end.by);
  }
  trip.trail.length = passed;
  return result(hook.policy, hook, trip, hook.place);
}

function result(verdict: Decision["verdict"], hook: Hook, trip: Trip, by?: Place): Decision {
  const { trail, chances } = trip;
  return { verdict, stage: hook.stage, ...(by === undefined ? {} : { by }), trail: [...trail], chances: [...chances] };
}
