import type { TrackState } from "./filter-rules.ts";
import { allPackets, type PacketSet, type PacketSpace } from "./packet-set.ts";
import { oneValue, otherValues, valuesOf } from "./values.ts";

/** Where Linux' connection tracking looks at packets: `prerouting` at this priority. */
export const trackingPriority = -200;

const icmpv6 = 58;

// nf_conntrack_proto_icmpv6.c, Linux 5.10 to 6.18: only these two types open a flow; these types are never tracked.
const opening: readonly number[] = [128, 139];
const untracked: readonly number[] = [130, 131, 132, 133, 134, 135, 136, 143];

/**
 * What tracking says of a packet that belongs to no flow yet, once it has looked: `new` for what can open one, else
 * `invalid` or `untracked`. `established` and `related` never: those packets need a flow. GRE of version 1 that carries no PPP is
 * taken for `new` as all GRE is; Linux finds it invalid.
 */
export function stateOf(protocol: number, fromPort: number, isUntracked: boolean): TrackState {
  if (isUntracked) return "untracked";
  if (protocol !== icmpv6) return "new";
  const type = fromPort >>> 8;
  return opening.includes(type) ? "new" : untracked.includes(type) ? "untracked" : "invalid";
}

/** As {@link stateOf}, of all packets at once. */
export function packetsInState(space: PacketSpace, state: TrackState): PacketSet {
  const said = space.where("untracked", [1]);
  if (state === "established" || state === "related") return space.minus(said, said);
  const messages = space.where("protocol", oneValue(icmpv6, 256));
  const opens = space.and(messages, space.where("fromPort", typesOf(opening)));
  const passed = space.and(messages, space.where("fromPort", typesOf(untracked)));
  switch (state) {
    case "new":
      return space.minus(space.or(space.minus(allPackets, messages), opens), said);
    case "untracked":
      return space.or(said, passed);
    case "invalid":
      return space.minus(space.minus(messages, space.or(opens, passed)), said);
  }
}

/** Before tracking has looked there is no flow: everything is invalid, but for what a rule said not to track. */
export function packetsBefore(space: PacketSpace, state: TrackState): PacketSet {
  if (state === "untracked") return space.where("untracked", [1]);
  return state === "invalid" ? space.where("untracked", otherValues([1])) : space.minus(allPackets, allPackets);
}

/** The `fromPort` of messages of these types, any code. */
function typesOf(types: readonly number[]): readonly number[] {
  return valuesOf(
    types.map((type) => ({ first: type << 8, last: (type << 8) | 255 })),
    65_536,
  ) as readonly number[];
}
