import { openLab } from "../lab/open.ts";
import { nodeOf } from "../lab/wiring.ts";
import { places } from "../web/places.ts";

export type LabDoor = {
  readonly url: string;
  readonly tokenFile: string;
  /** Where this machine's browser reaches the page. */
  readonly origin?: string;
};

/**
 * The way to the controller of a running lab. It runs in the gateway's node as it would on a gateway, so its socket and
 * token are where they always are, seen through the node's root.
 */
export async function labDoor(name: string): Promise<LabDoor> {
  const lab = await openLab(name);
  const root = `/proc/${nodeOf(lab.nodes, lab.fleet.gateway.name).pid}/root`;
  const { page } = lab.state;
  return {
    url: `unix:${root}${places.socket}`,
    tokenFile: `${root}${places.token}`,
    ...(page === undefined ? {} : { origin: page }),
  };
}
