import type { HostPlan } from "../../addressing/address-plan.ts";
import type { Controller } from "../../controller/controller.ts";
import { contains } from "../../net/prefix.ts";
import type { DeniedGroup } from "./denied-book.ts";
import type { SourceNames } from "./sources.ts";
import type { DeniedFlow } from "./topology-schema.ts";

/** Groups that one answer shows: who looks at more has a scan before him, and its newest packets tell as much. */
export const mostShown = 500;

/** Denied packets with the fleet's names: their source, and the host whose block they went to. */
export function deniedFlows(
  groups: readonly DeniedGroup[],
  names: SourceNames,
  hosts: readonly HostPlan[],
): readonly DeniedFlow[] {
  return groups.map((group) => {
    const host = hosts.find(({ block }) => contains(block, group.to))?.host;
    return { ...group, source: names.ofPacket(group.example).name, ...(host === undefined ? {} : { host }) };
  });
}

/** Tells which container has an address, by the hosts' reports: each host is asked once. */
export function containerNames(
  controller: Pick<Controller, "containers">,
): (host: string | undefined, to: string) => string | undefined {
  const known = new Map<string, ReadonlyMap<string, string>>();
  return (host, to) => {
    if (host === undefined) return undefined;
    const found =
      known.get(host) ??
      new Map(
        controller
          .containers(host as Parameters<Controller["containers"]>[0])
          .flatMap(({ name, endpoints }) => endpoints.map(({ address }) => [address as string, name] as const)),
      );
    known.set(host, found);
    return found.get(to);
  };
}
