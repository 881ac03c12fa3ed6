import type { Prefix } from "../net/prefix.ts";
import type { Field } from "./field.ts";
import type { Span, Value, Values } from "./values.ts";

// What a gateway decides by, whatever its make: the form that every driver's `rules` reads into and that the proof asks.
// Only what can decide about IPv6 is in it.

/** Where a packet is looked at, in the order in which it gets there. `input` instead of `forward` when it is for the gateway itself. */
export type Stage = "ingress" | "prerouting" | "input" | "forward" | "postrouting" | "egress";

export type FilterRules = {
  /** Where chains begin, in the order in which they are asked at a stage. */
  readonly hooks: readonly Hook[];
  /** By a name of its own, for example `inet sixgate forward`. */
  readonly chains: ReadonlyMap<string, FilterChain>;
  readonly sets: ReadonlyMap<string, Elements>;
  /** What is loaded and can't decide about IPv6 that crosses the gateway, told apart: for people. */
  readonly aside: readonly string[];
};

/** `policy` is what becomes of a packet that the chain says nothing of. */
export type Hook = {
  readonly stage: Stage;
  /** Ascending: the lowest is asked first. Connection tracking has -200 at `prerouting`. */
  readonly priority: number;
  /** `flows`: asked for packets that open a tracked flow only (chains of address translation). */
  readonly asks: "packets" | "flows";
  /** At `ingress` and `egress`: the interfaces it is on. Absent: every one. */
  readonly devices?: readonly string[];
  readonly chain: string;
  readonly policy: "accept" | "drop";
  readonly place: Place;
};

export type FilterChain = { readonly name: string; readonly rules: readonly FilterRule[] };

/** Steps are done in order. A match that fails ends the rule; what steps before it did stays done. */
export type FilterRule = { readonly steps: readonly Step[]; readonly place: Place };

/** Where a rule is, for people: `table` and `chain` as the product calls them, `text` the rule in the product's words. */
export type Place = {
  readonly table: string;
  readonly chain: string;
  readonly text: string;
  readonly handle?: number;
  readonly comment?: string;
  readonly counter?: { readonly packets: number; readonly bytes: number };
  /** True when it carries our mark. */
  readonly ours: boolean;
};

export type Step = Match | Effect | Verdict | Branch;

export type Match =
  | { readonly kind: "field"; readonly field: Field; readonly values: Values }
  /** A number under a mask that has holes, of a field that rules set: its value is known packet by packet. */
  | { readonly kind: "masked"; readonly field: "mark" | "flowMark"; readonly mask: number; readonly values: Values }
  | { readonly kind: "to"; readonly values: Values }
  /** The hop limit as it is there: one less behind the gateway's routing. */
  | { readonly kind: "hops"; readonly values: Values }
  | { readonly kind: "interface"; readonly side: Side; readonly names: readonly string[]; readonly negated: boolean }
  /** A key that is an object of its own: by it the place in the rules is known. */
  | { readonly kind: "elements"; readonly key: Key; readonly set: string; readonly negated: boolean }
  /** What connection tracking says of the packet. */
  | { readonly kind: "state"; readonly states: readonly TrackState[] }
  /** Whether there is a flow that tracking knows of: without one nothing else of it can be asked. */
  | { readonly kind: "tracked" }
  /** Whether a route leads back to the source; with `strict` by the interface that the packet came in by. */
  | { readonly kind: "way-back"; readonly strict: boolean; readonly negated: boolean }
  | { readonly kind: "local"; readonly negated: boolean }
  | { readonly kind: "every" | "some"; readonly of: readonly Match[] }
  | { readonly kind: "not"; readonly of: Match }
  /** Now so, now so, whatever the packet: a rate, a quota, the time of day. `usually` is what a lone packet meets. */
  | { readonly kind: "chance"; readonly usually: boolean; readonly why: string }
  /** Not understood: it may match any packet or none, and an answer that depends on it is no answer. */
  | { readonly kind: "opaque"; readonly why: string };

/** `in`: where the packet came in. `out`: where it leaves; it has no name before it is routed. A final `*` in a name is a wildcard. */
export type Side = "in" | "out";

export type TrackState = "new" | "established" | "related" | "invalid" | "untracked";

/** What is looked up in a set: one part per column. */
export type Key = readonly KeyPart[];
export type KeyPart =
  /** `(value & mask) >> shift`. */
  | { readonly kind: "field"; readonly field: Field; readonly mask?: Value; readonly shift?: number }
  | { readonly kind: "to"; readonly mask?: bigint }
  | { readonly kind: "hops" }
  /** Parts are the numbers that Linux has for the states: 1, 2, 4, 8, 64. */
  | { readonly kind: "state" }
  /** The same for every packet. */
  | { readonly kind: "constant"; readonly values: readonly number[] }
  | { readonly kind: "interface"; readonly side: Side }
  | { readonly kind: "opaque"; readonly why: string };

/** An element's part: one value, a span of values, an interface's name (`*` at its end is a wildcard), or not understood. */
export type Part = Value | Span | string | { readonly opaque: string };

/**
 * A set or a map, column by column: row `n` is the n-th part of each. `verdicts` has one per row in a map of verdicts.
 * A single address is its canonical text: a million of them as numbers cost more. An exposure that is told of new
 * elements puts them at the end of the columns.
 */
export type Elements = {
  readonly name: string;
  readonly columns: readonly Part[][];
  readonly verdicts?: readonly Verdict[];
  /** What holds for a key that no row has. */
  readonly otherwise?: Verdict | true;
  /** Packets put rows into it as they pass: what is in it now says nothing of the next packet. */
  readonly isLive: boolean;
};

export type Branch = { readonly kind: "branch"; readonly key: Key; readonly map: string };

export type Effect =
  | { readonly kind: "assign"; readonly field: "mark" | "flowMark" | "dscp"; readonly value: AssignedValue }
  | { readonly kind: "untrack" }
  /** Changes what the packet is judged by (address, port, protocol) in a way that is not followed any further. */
  | { readonly kind: "rewrite"; readonly why: string };

/** Undefined: some value that is not known. */
export type AssignedValue =
  | number
  | { readonly of: "mark" | "flowMark"; readonly and: number; readonly or: number; readonly xor: number }
  | undefined;

export type Verdict =
  /** Done with this hook; the next one is asked. */
  | { readonly kind: "accept" }
  /** `reject` says so to the sender. */
  | { readonly kind: "drop" | "reject" }
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  | { readonly kind: "return" }
  | { readonly kind: "continue" }
  /** Somebody else decides: a program in user space, a target that is not understood. */
  | { readonly kind: "unknown"; readonly why: string };

/** What the gateway does with a destination. `local`: for itself; `nowhere`: no route, or one that refuses. */
export type Route =
  | { readonly to: Prefix; readonly kind: "out"; readonly device: string }
  /** `anycast`: to a group that the gateway is in; rules that ask whether it is the gateway's own say no. */
  | { readonly to: Prefix; readonly kind: "local"; readonly anycast?: boolean }
  | { readonly to: Prefix; readonly kind: "nowhere" }
  /** More than one way, or by rules that are not read. */
  | { readonly to: Prefix; readonly kind: "unknown" };

/** The gateway around its filter: by the longest prefix, and `nowhere` where none has the destination. */
export type Site = { readonly routes: readonly Route[] };

/** Linux' bit of each state of a packet (NF_CT_STATE_BIT). */
export const stateBits: Readonly<Record<TrackState, number>> = {
  invalid: 1,
  established: 2,
  related: 4,
  new: 8,
  untracked: 64,
};

/** Where packets come from: an interface, and what is certain of their sources there. */
export type Vantage = {
  readonly name: string;
  readonly device: string;
  /** Absent: any source. */
  readonly from?: readonly Prefix[];
  /** Absent: any. */
  readonly mac?: string;
};
