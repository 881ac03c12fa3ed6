import { endOf, type Field } from "./field.ts";
import type {
  AssignedValue,
  Branch,
  Effect,
  FilterRule,
  FilterRules,
  Hook,
  Match,
  Stage,
  Verdict,
} from "./filter-rules.ts";
import { type Destination, isMatch, type MatchSets } from "./match-sets.ts";
import { allPackets, noPackets, type PacketSet, type PacketSpace } from "./packet-set.ts";
import { type Ends, type Point, pointAt } from "./point.ts";
import { packetsBefore, packetsInState } from "./tracking.ts";
import { hasValue, oneValue, spansOf } from "./values.ts";

/** Packets that are here for certain, and packets that may be here because nobody knows what a rule before does. */
export type Flow = { readonly sure: PacketSet; readonly maybe: PacketSet };

export const noFlow: Flow = { sure: noPackets, maybe: noPackets };

/** Fields that rules may change on the way: a packet's value of them is no longer the one that it came with. */
function changedBy(rules: FilterRules): readonly Field[] {
  const remarks = [...rules.chains.values()].some((chain) =>
    chain.rules.some((rule) => rule.steps.some((step) => step.kind === "assign" && step.field === "dscp")),
  );
  return remarks ? ["mark", "flowMark", "untracked", "dscp"] : ["mark", "flowMark", "untracked"];
}

type Here = {
  readonly point: Point;
  readonly destination: Destination;
  readonly lost: Losses;
  dropped: Flow;
  accepted: Flow;
};

/** What did not get to the end: dropped hook by hook, and packets that became others, of which nothing more is known. */
export type Losses = { readonly dropped: Flow[]; astray: PacketSet };

export function noLosses(): Losses {
  return { dropped: [], astray: noPackets };
}

/** What is left of packets on their way through the hooks, for one destination at a time. */
export class Walk {
  readonly #rules: FilterRules;
  readonly #sets: MatchSets;
  readonly #space: PacketSpace;
  readonly #changed: readonly Field[];

  constructor(rules: FilterRules, sets: MatchSets, space: PacketSpace) {
    this.#rules = rules;
    this.#sets = sets;
    this.#space = space;
    this.#changed = changedBy(rules);
  }

  /** Through every hook of a stage. What is lost there is added to `lost`. */
  through(stage: Stage, flow: Flow, ends: Ends, destination: Destination, lost: Losses): Flow {
    const device = stage === "ingress" ? ends.in : ends.out;
    let left = flow;
    for (const hook of this.#rules.hooks) {
      if (hook.stage !== stage || isEmpty(left)) continue;
      if (hook.devices !== undefined && device !== undefined && !hook.devices.includes(device)) continue;
      left = this.#hook(hook, left, pointAt(stage, hook.priority, ends), destination, lost);
    }
    return left;
  }

  #hook(hook: Hook, flow: Flow, point: Point, destination: Destination, lost: Losses): Flow {
    const opens = hook.asks === "flows" ? packetsInState(this.#space, "new") : allPackets;
    const here: Here = { point, destination, lost, dropped: noFlow, accepted: this.#less(flow, opens) };
    const asked = this.#both(flow, opens);
    const fallen = this.#chain(hook.chain, asked, here);
    if (hook.policy === "accept") here.accepted = this.#join(here.accepted, fallen);
    else here.dropped = this.#join(here.dropped, fallen);
    lost.dropped.push(here.dropped);
    return here.accepted;
  }

  /** Gives what the chain says nothing of. */
  #chain(name: string, flow: Flow, here: Here): Flow {
    const chain = this.#rules.chains.get(name);
    if (chain === undefined) throw new RangeError(`No chain ${JSON.stringify(name)}`);
    let on = flow;
    let fallen = noFlow;
    for (const rule of chain.rules) {
      if (isEmpty(on)) break;
      const { next, back } = this.#rule(rule, on, here);
      on = next;
      fallen = this.#join(fallen, back);
    }
    return this.#join(fallen, on);
  }

  /** `next` goes on to the rule behind, `back` to where the chain was called from. */
  #rule(rule: FilterRule, flow: Flow, here: Here): { readonly next: Flow; readonly back: Flow } {
    let on = flow;
    let next = noFlow;
    let back = noFlow;
    for (const step of rule.steps) {
      if (isEmpty(on)) break;
      if (isMatch(step)) {
        const { fits, rest } = this.#match(step, on, here);
        next = this.#join(next, rest);
        on = fits;
      } else if (step.kind === "branch") {
        const done = this.#branch(step, on, here);
        next = this.#join(next, done.next);
        back = this.#join(back, done.back);
        on = noFlow;
      } else if (isEffect(step)) on = this.#effect(step, on, here);
      else {
        const done = this.#verdict(step, on, here);
        next = this.#join(next, done.next);
        back = this.#join(back, done.back);
        on = noFlow;
      }
    }
    return { next: this.#join(next, on), back };
  }

  #match(match: Match, flow: Flow, here: Here): { readonly fits: Flow; readonly rest: Flow } {
    if (match.kind === "chance") return { fits: flow, rest: flow };
    if (match.kind === "elements" && this.#rules.sets.get(match.set)?.isLive === true)
      return { fits: flow, rest: flow };
    const { must, may } =
      match.kind === "masked" ? this.#masked(match, flow) : this.#sets.of(match, here.point, here.destination);
    return this.#split(flow, must, may);
  }

  #split(flow: Flow, must: PacketSet, may: PacketSet): { readonly fits: Flow; readonly rest: Flow } {
    const space = this.#space;
    if (must === may) {
      return {
        fits: this.#both(flow, must),
        rest: { sure: space.minus(flow.sure, must), maybe: space.minus(flow.maybe, must) },
      };
    }
    const unsure = space.and(flow.sure, space.minus(may, must));
    return {
      fits: { sure: space.and(flow.sure, must), maybe: space.or(space.and(flow.maybe, may), unsure) },
      rest: { sure: space.minus(flow.sure, may), maybe: space.or(space.minus(flow.maybe, must), unsure) },
    };
  }

  /** A mark under a mask: known where it is one value, as it is after a rule set it and before any did. */
  #masked(match: Match & { readonly kind: "masked" }, flow: Flow): { must: PacketSet; may: PacketSet } {
    const space = this.#space;
    const all = space.valuesOf(match.field, space.or(flow.sure, flow.maybe));
    let [must, may] = [noPackets, noPackets];
    for (const { first, last } of spansOf(all, endOf(match.field))) {
      for (let value = Number(first); value <= Math.min(Number(last), Number(first) + manyMarks); value++) {
        if (!hasValue(match.values, (value & match.mask) >>> 0)) continue;
        const set = space.where(match.field, oneValue(value, endOf(match.field)));
        [must, may] = [space.or(must, set), space.or(may, set)];
      }
      if (Number(last) > Number(first) + manyMarks)
        may = space.or(may, space.where(match.field, [first, Number(last) + 1]));
    }
    return { must, may };
  }

  #branch(step: Branch, flow: Flow, here: Here): { readonly next: Flow; readonly back: Flow } {
    const { elements } = this.#sets.lookupOf(step.key);
    const byVerdict = new Map<string, { verdict: Verdict; must: PacketSet[]; may: PacketSet[] }>();
    for (const { row, packets } of this.#sets.rows(step.key, here.point, here.destination)) {
      const verdict = elements.verdicts?.[row] ?? unknownVerdict;
      const name = "chain" in verdict ? `${verdict.kind} ${verdict.chain}` : verdict.kind;
      const there = byVerdict.get(name) ?? { verdict, must: [], may: [] };
      byVerdict.set(name, there);
      there.must.push(packets.must);
      there.may.push(packets.may);
    }
    let [next, back, rest] = [noFlow, noFlow, flow];
    let all: PacketSet = noPackets;
    for (const { verdict, must, may } of byVerdict.values()) {
      const every = this.#space.union(may);
      const split = this.#split(flow, this.#space.union(must), every);
      const done = this.#verdict(verdict, split.fits, here);
      [next, back] = [this.#join(next, done.next), this.#join(back, done.back)];
      rest = this.#split(rest, this.#space.union(must), every).rest;
      all = this.#space.or(all, every);
    }
    if (elements.isLive) rest = flow;
    if (elements.otherwise === undefined || elements.otherwise === true) return { next: this.#join(next, rest), back };
    const done = this.#verdict(elements.otherwise, rest, here);
    return { next: this.#join(next, done.next), back: this.#join(back, done.back) };
  }

  #verdict(verdict: Verdict, flow: Flow, here: Here): { readonly next: Flow; readonly back: Flow } {
    if (isEmpty(flow)) return { next: noFlow, back: noFlow };
    switch (verdict.kind) {
      case "accept":
        here.accepted = this.#join(here.accepted, flow);
        return { next: noFlow, back: noFlow };
      case "drop":
      case "reject":
        here.dropped = this.#join(here.dropped, flow);
        return { next: noFlow, back: noFlow };
      case "unknown": {
        const either = { sure: noPackets, maybe: this.#space.or(flow.sure, flow.maybe) };
        here.accepted = this.#join(here.accepted, either);
        here.dropped = this.#join(here.dropped, either);
        return { next: noFlow, back: noFlow };
      }
      case "jump":
        return { next: this.#chain(verdict.chain, flow, here), back: noFlow };
      case "goto":
        return { next: noFlow, back: this.#chain(verdict.chain, flow, here) };
      case "return":
        return { next: noFlow, back: flow };
      case "continue":
        return { next: flow, back: noFlow };
    }
  }

  #effect(effect: Effect, flow: Flow, here: Here): Flow {
    switch (effect.kind) {
      case "assign":
        return this.#assign(effect.field, effect.value, flow);
      case "untrack": {
        // Once tracking has a flow for the packet, it keeps it.
        const early = here.point.isTracked !== true;
        const untracked = early ? packetsBefore(this.#space, "invalid") : packetsInState(this.#space, "invalid");
        return this.#join(this.#less(flow, untracked), this.#assign("untracked", 1, this.#both(flow, untracked)));
      }
      case "rewrite":
        here.lost.astray = this.#space.union([here.lost.astray, flow.sure, flow.maybe]);
        return noFlow;
    }
  }

  #assign(field: Field, value: AssignedValue, flow: Flow): Flow {
    const space = this.#space;
    if (isEmpty(flow)) return flow;
    const cleared = { sure: space.without(field, flow.sure), maybe: space.without(field, flow.maybe) };
    if (typeof value === "number") return this.#both(cleared, space.where(field, oneValue(value, endOf(field))));
    const unknown = { sure: noPackets, maybe: space.or(cleared.sure, cleared.maybe) };
    if (value === undefined) return unknown;
    let made = noFlow;
    for (const { first, last } of spansOf(space.valuesOf(value.of, space.or(flow.sure, flow.maybe)), endOf(value.of))) {
      if (Number(last) - Number(first) > manyMarks) return unknown;
      for (let each = Number(first); each <= Number(last); each++) {
        const of = this.#both(flow, space.where(value.of, oneValue(each, endOf(value.of))));
        const set = (((each & value.and) ^ value.xor) | value.or) >>> 0;
        made = this.#join(made, this.#assign(field, set, of));
      }
    }
    return made;
  }

  /** Accepted at the end, and those of which that can't be said. Fields that rules change no longer count. */
  outcome(left: Flow, lost: Losses): { readonly accepted: PacketSet; readonly doubtful: PacketSet } {
    const space = this.#space;
    const kept = (set: PacketSet): PacketSet => this.#changed.reduce((all, field) => space.without(field, all), set);
    const [sure, maybe, astray] = [kept(left.sure), kept(left.maybe), kept(lost.astray)];
    if (maybe === noPackets) return { accepted: sure, doubtful: space.minus(astray, sure) };
    const gone = space.union([astray, ...lost.dropped.map((each) => kept(each.maybe))]);
    const accepted = space.or(sure, space.minus(maybe, gone));
    return { accepted, doubtful: space.minus(space.or(maybe, astray), accepted) };
  }

  #join(a: Flow, b: Flow): Flow {
    if (b === noFlow) return a;
    if (a === noFlow) return b;
    return { sure: this.#space.or(a.sure, b.sure), maybe: this.#space.or(a.maybe, b.maybe) };
  }

  #both(flow: Flow, set: PacketSet): Flow {
    return { sure: this.#space.and(flow.sure, set), maybe: this.#space.and(flow.maybe, set) };
  }

  #less(flow: Flow, set: PacketSet): Flow {
    return { sure: this.#space.minus(flow.sure, set), maybe: this.#space.minus(flow.maybe, set) };
  }
}

/** Marks that are followed one by one. */
const manyMarks = 256;

const unknownVerdict: Verdict = { kind: "unknown", why: "a map without verdicts" };

function isEmpty(flow: Flow): boolean {
  return flow.sure === noPackets && flow.maybe === noPackets;
}

function isEffect(step: { readonly kind: string }): step is Effect {
  return step.kind === "assign" || step.kind === "untrack" || step.kind === "rewrite";
}
