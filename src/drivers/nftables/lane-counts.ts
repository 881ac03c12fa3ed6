import type { HostName } from "../../base/name.ts";
import { instant } from "../../base/time.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { baseOf } from "../../net/prefix.ts";
import type { Count } from "../members-lane.ts";
import type { Counted, LaneWays } from "./lane-ways.ts";
import { memberKinds, servicesOf } from "./members.ts";
import { memberSet } from "./set-shapes.ts";
import { placeFinder, shardOf } from "./shards.ts";

/** What the elements of these hosts have counted, from the sets of their shards and those of the fleet file. */
export async function readCounts(
  ways: LaneWays,
  desired: GatewayDesired,
  hosts: readonly HostName[],
  signal: AbortSignal | undefined,
): Promise<readonly Count[]> {
  const asked = new Set(hosts);
  const blocks = desired.hosts.flatMap(({ host, block }) => (asked.has(host) ? [block] : []));
  const shards = new Set(blocks.map((block) => shardOf(baseOf(block), desired.hostLength)));
  const placeOf = placeFinder(desired);
  const found: Count[] = [];
  for (const shard of blocks.length === 0 ? [] : [undefined, ...shards]) {
    for (const kind of memberKinds) {
      const counted = await ways.counted(memberSet(kind, shard), kind, instant(Date.now()), signal);
      for (const each of counted) {
        const place = placeOf(each.member.to);
        if (place !== undefined && asked.has(place.host)) found.push(...countOf(each));
      }
    }
  }
  return found;
}

function countOf({ member, packets, bytes }: Counted): readonly Count[] {
  return servicesOf([member]).map(({ service, from }) => ({ to: member.to, service, from, packets, bytes }));
}
