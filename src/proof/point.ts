import { type Stage, stateBits, type TrackState } from "./filter-rules.ts";
import { noPackets, type PacketSet, type PacketSpace } from "./packet-set.ts";
import { packetsBefore, packetsInState, trackingPriority } from "./tracking.ts";
import { type Span, type Values, valuesOf } from "./values.ts";

/** The interfaces that a packet came in by and leaves by; undefined: not known, "": none yet. */
export type Ends = { readonly in: string | undefined; readonly out: string | undefined };

/** Where in its way through the gateway a packet is judged, and by which interfaces it goes. */
export type Point = {
  readonly stage: Stage;
  /** Whether connection tracking has looked already; undefined where the order can't be told. */
  readonly isTracked: boolean | undefined;
  readonly ends: Ends;
  /** The same text for points at which all matches without a destination mean the same. */
  readonly key: string;
};

export function pointAt(stage: Stage, priority: number, ends: Ends): Point {
  const early = stage === "ingress" || (stage === "prerouting" && priority < trackingPriority);
  const unsure = stage === "prerouting" && priority === trackingPriority;
  const isTracked = unsure ? undefined : !early;
  return { stage, isTracked, ends, key: `${stage} ${isTracked} ${ends.in} ${ends.out}` };
}

/** A set of packets of which it may be unknown who is in it: `must` are for certain, `may` possibly. */
export type Pair = { readonly must: PacketSet; readonly may: PacketSet };

/** Packets in one of the states there. */
export function inStates(space: PacketSpace, states: readonly TrackState[], { isTracked }: Point): Pair {
  const after = space.union(states.map((state) => packetsInState(space, state)));
  const before = space.union(states.map((state) => packetsBefore(space, state)));
  if (isTracked === undefined) return { must: space.and(after, before), may: space.or(after, before) };
  return isTracked ? { must: after, may: after } : { must: before, may: before };
}

/** The states whose numbers are in the span. */
export function statesIn({ first, last }: Span): readonly TrackState[] {
  return (Object.keys(stateBits) as TrackState[]).filter(
    (state) => stateBits[state] >= first && stateBits[state] <= last,
  );
}

/** Whether the gateway's routing has taken its one off the hop limit. */
export function isRouted(stage: Stage): boolean {
  return stage === "forward" || stage === "postrouting" || stage === "egress";
}

/** The hop limits on arrival of packets that have one of these there. */
export function withHops(space: PacketSpace, values: Values, stage: Stage): PacketSet {
  const arrived = isRouted(stage)
    ? values.map((edge) => (edge === 0 ? 0 : Number(edge) + 1)).filter((edge) => edge < 256)
    : values;
  return arrived.length === 0 ? noPackets : space.where("hops", arrived);
}

export function hopsIn(span: Span): Values {
  return valuesOf([span], 256);
}
