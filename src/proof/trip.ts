import { fromBits, isLinkLocal, toBits } from "../net/address.ts";
import type { PrefixTable } from "../net/prefix-table.ts";
import { isGone } from "./element-rows.ts";
import type {
  AssignedValue,
  Branch,
  Effect,
  FilterRule,
  FilterRules,
  Key,
  KeyPart,
  Match,
  Part,
  Place,
  Route,
  Site,
  Stage,
  TrackState,
  Verdict,
} from "./filter-rules.ts";
import { namesFit, spanOf } from "./lookup.ts";
import { isMatch } from "./match-sets.ts";
import type { Packet } from "./packet.ts";
import { isRouted, type Point, statesIn } from "./point.ts";
import { stateOf } from "./tracking.ts";
import { hasValue, type Span } from "./values.ts";

/** One packet under way, with what rules changed of it. */
export type Trip = {
  readonly rules: FilterRules;
  readonly site: Site;
  readonly routes: PrefixTable<Route>;
  readonly packet: Packet;
  readonly luck: ReadonlySet<number>;
  readonly isLocal: boolean | undefined;
  readonly marks: {
    mark: number | undefined;
    flowMark: number | undefined;
    dscp: number | undefined;
    untracked: boolean;
  };
  readonly trail: Place[];
  readonly chances: Place[];
};

/** `fallen`: the chain says nothing. */
export type End = { readonly verdict: Verdict | { readonly kind: "fallen" }; readonly by?: Place };

const fallen: End = { verdict: { kind: "fallen" } };

/** What a chain makes of the packet. */
export function runChain(name: string, point: Point, trip: Trip): End {
  for (const rule of trip.rules.chains.get(name)?.rules ?? []) {
    const end = runRule(rule, point, trip);
    if (end === undefined) continue;
    const { verdict } = end;
    if (verdict.kind === "return") return fallen;
    if (verdict.kind !== "jump" && verdict.kind !== "goto") return end;
    const depth = trip.trail.push(rule.place);
    const inner = runChain(verdict.chain, point, trip);
    if (inner.verdict.kind !== "fallen") return inner;
    trip.trail.length = depth - 1;
    if (verdict.kind === "goto") return fallen;
  }
  return fallen;
}

/** Undefined: on to the next rule. */
function runRule(rule: FilterRule, point: Point, trip: Trip): End | undefined {
  for (const step of rule.steps) {
    if (isMatch(step)) {
      const fits = step.kind === "chance" || isLive(step, trip) ? chance(step, rule, trip) : matches(step, point, trip);
      if (fits === undefined) return { verdict: { kind: "unknown", why: doubtOf(step) }, by: rule.place };
      if (!fits) return undefined;
    } else if (step.kind === "branch") {
      const found = branch(step, point, trip);
      if (found.kind === "continue") return undefined;
      return { verdict: found, by: rule.place };
    } else if (step.kind === "assign" || step.kind === "untrack" || step.kind === "rewrite") {
      const why = affect(step, point, trip);
      if (why !== undefined) return { verdict: { kind: "unknown", why }, by: rule.place };
    } else if (step.kind === "continue") return undefined;
    else return { verdict: step, by: rule.place };
  }
  return undefined;
}

function isLive(match: Match, trip: Trip): boolean {
  return match.kind === "elements" && trip.rules.sets.get(match.set)?.isLive === true;
}

function chance(match: Match, rule: FilterRule, trip: Trip): boolean {
  const number = trip.chances.push(rule.place) - 1;
  const usually = match.kind === "chance" ? match.usually : false;
  return trip.luck.has(number) ? !usually : usually;
}

function doubtOf(match: Match): string {
  if (match.kind === "opaque") return match.why;
  if (match.kind === "not") return doubtOf(match.of);
  if (match.kind === "every" || match.kind === "some") {
    const doubts = match.of.flatMap((each) => (each.kind === "opaque" ? [each.why] : []));
    return doubts[0] ?? "a part of it is not understood";
  }
  return match.kind === "interface" ? "which way the packet leaves is not known" : `its ${match.kind} is not known`;
}

/** Undefined: it can't be said. */
function matches(match: Match, point: Point, trip: Trip): boolean | undefined {
  const { packet, marks } = trip;
  switch (match.kind) {
    case "field": {
      const value = valueOf(match.field, trip);
      return value === undefined ? undefined : hasValue(match.values, value);
    }
    case "masked": {
      const value = marks[match.field];
      return value === undefined ? undefined : hasValue(match.values, (value & match.mask) >>> 0);
    }
    case "to":
      return hasValue(match.values, toBits(packet.to));
    case "hops":
      return hasValue(match.values, hopsAt(packet, point.stage));
    case "interface": {
      const name = match.side === "in" ? point.ends.in : point.ends.out;
      return name === undefined ? undefined : namesFit(match.names, name) !== match.negated;
    }
    case "elements": {
      const { otherwise } = trip.rules.sets.get(match.set) ?? {};
      const found = otherwise !== undefined ? true : rowOf(match.key, match.set, point, trip);
      return found === undefined ? undefined : (found !== false) !== match.negated;
    }
    case "state": {
      const state = stateAt(point, trip);
      return state === undefined ? undefined : match.states.includes(state);
    }
    case "tracked": {
      const state = stateAt(point, trip);
      return state === undefined ? undefined : state === "new";
    }
    case "way-back": {
      const leads = wayBack(match.strict, point, trip);
      return leads === undefined ? undefined : leads !== match.negated;
    }
    case "local":
      return trip.isLocal === undefined ? undefined : trip.isLocal !== match.negated;
    case "not": {
      const of = matches(match.of, point, trip);
      return of === undefined ? undefined : !of;
    }
    case "every":
      return all(match.of.map((each) => matches(each, point, trip)));
    case "some": {
      const none = all(match.of.map((each) => opposite(matches(each, point, trip))));
      return opposite(none);
    }
    case "chance":
    case "opaque":
      return undefined;
  }
}

function opposite(is: boolean | undefined): boolean | undefined {
  return is === undefined ? undefined : !is;
}

function all(each: readonly (boolean | undefined)[]): boolean | undefined {
  if (each.includes(false)) return false;
  return each.includes(undefined) ? undefined : true;
}

function valueOf(field: keyof Packet["values"], trip: Trip): number | bigint | undefined {
  const { marks } = trip;
  if (field === "mark" || field === "flowMark" || field === "dscp") return marks[field];
  if (field === "untracked") return marks.untracked ? 1 : 0;
  return trip.packet.values[field];
}

/** Before tracking has looked, every packet is without a flow. */
export function stateAt({ isTracked }: Pick<Point, "isTracked">, { packet, marks }: Trip): TrackState | undefined {
  if (marks.untracked) return "untracked";
  if (isTracked === undefined) return undefined;
  if (!isTracked) return "invalid";
  return stateOf(Number(packet.values.protocol), Number(packet.values.fromPort), false);
}

function hopsAt(packet: Packet, stage: Stage): number {
  const hops = Number(packet.values.hops);
  return isRouted(stage) ? hops - 1 : hops;
}

/** Where strict, a route by the interface that the packet came in by. */
function wayBack(strict: boolean, point: Point, trip: Trip): boolean | undefined {
  if (trip.site.routes.some((route) => route.kind === "unknown")) return undefined;
  const from = fromBits(BigInt(trip.packet.values.from));
  if (isLinkLocal(from)) return undefined;
  const route = trip.routes.get(from);
  return route?.kind === "out" && (!strict || route.device === point.ends.in);
}

/** The first row that has the packet; false where none has, undefined where it can't be said. */
function rowOf(key: Key, set: string, point: Point, trip: Trip): number | false | undefined {
  const columns = trip.rules.sets.get(set)?.columns ?? [];
  const rows = columns[0]?.length ?? 0;
  const to = columns[key.findIndex((part) => part.kind === "to" && part.mask === undefined)];
  let unsure = false;
  for (let row = 0; row < rows; row++) {
    // A set may have a million rows, nearly all of them of other destinations.
    const other = to?.[row];
    if (typeof other === "string" && other !== trip.packet.to) continue;
    const fits = all(key.map((part, column) => partFits(part, columns[column]?.[row], point, trip)));
    if (fits === true) return row;
    unsure ||= fits === undefined;
  }
  return unsure ? undefined : false;
}

function partFits(key: KeyPart, part: Part | undefined, point: Point, trip: Trip): boolean | undefined {
  if (part !== undefined && isGone(part)) return false;
  if (part === undefined || key.kind === "opaque") return undefined;
  if (key.kind === "interface") {
    const name = key.side === "in" ? point.ends.in : point.ends.out;
    return name === undefined || typeof part !== "string" ? undefined : namesFit([part], name);
  }
  const span: Span | undefined = spanOf(part, key.kind === "to" || (key.kind === "field" && key.field === "from"));
  if (span === undefined) return undefined;
  if (key.kind === "constant") return key.values.some((value) => value >= span.first && value <= span.last);
  if (key.kind === "state") {
    const state = stateAt(point, trip);
    return state === undefined ? undefined : statesIn(span).includes(state);
  }
  const value = partValue(key, point, trip);
  return value === undefined ? undefined : value >= BigInt(span.first) && value <= BigInt(span.last);
}

function partValue(
  key: KeyPart & { readonly kind: "field" | "to" | "hops" },
  point: Point,
  trip: Trip,
): bigint | undefined {
  if (key.kind === "hops") return BigInt(hopsAt(trip.packet, point.stage));
  const value = key.kind === "to" ? toBits(trip.packet.to) : valueOf(key.field, trip);
  if (value === undefined) return undefined;
  const masked = key.mask === undefined ? BigInt(value) : BigInt(value) & BigInt(key.mask);
  return key.kind === "field" ? masked >> BigInt(key.shift ?? 0) : masked;
}

function branch(step: Branch, point: Point, trip: Trip): Verdict {
  const map = trip.rules.sets.get(step.map);
  const row = map?.isLive === true ? undefined : rowOf(step.key, step.map, point, trip);
  if (row === undefined) return { kind: "unknown", why: `what map ${step.map} says is not known` };
  const found = row === false ? map?.otherwise : map?.verdicts?.[row];
  if (found === true) return { kind: "unknown", why: `map ${step.map} has no verdict` };
  return found ?? { kind: "continue" };
}

/** Gives why nothing more can be said, where that is so. */
function affect(effect: Effect, point: Point, trip: Trip): string | undefined {
  if (effect.kind === "rewrite") return effect.why;
  if (effect.kind === "untrack") {
    const state = stateAt(point, trip);
    if (state === undefined) return "whether tracking has looked before is not known";
    if (state === "invalid") trip.marks.untracked = true;
    return undefined;
  }
  trip.marks[effect.field] = assigned(effect.value, trip);
  return undefined;
}

function assigned(value: AssignedValue, trip: Trip): number | undefined {
  if (typeof value !== "object") return value;
  const of = trip.marks[value.of];
  return of === undefined ? undefined : (((of & value.and) ^ value.xor) | value.or) >>> 0;
}
