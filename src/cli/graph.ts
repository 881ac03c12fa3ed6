import { reservedAddress } from "../addressing/reserved-address.ts";
import type { HostName } from "../base/name.ts";
import { instant } from "../base/time.ts";
import { staticsOf } from "../controller/core.ts";
import { type TopologySource, topologyOf } from "../web/map/topology.ts";
import type { TopologyView } from "../web/map/topology-schema.ts";
import { dotOf } from "../web/picture/dot.ts";
import { everything } from "../web/picture/filter.ts";
import { type Focus, graphOf } from "../web/picture/graph.ts";
import { layOut, type Room } from "../web/picture/layout.ts";
import { svgOf } from "../web/picture/svg.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { type Exit, exit } from "./exit.ts";
import { type Opened, openFleet } from "./fleet-file.ts";
import { remoteAt } from "./remote.ts";
import type { Terminal } from "./terminal.ts";

export type GraphOptions = DoorOptions & {
  readonly file?: string;
  readonly prefix?: string;
  readonly format: "svg" | "dot" | "json";
  /** Of that host only. */
  readonly host?: string;
  readonly live?: boolean;
};

/** As wide as a README shows pictures; as high as they are. */
const room: Room = { width: 1240, height: 1 };

/**
 * `sixgate graph`: the page's map as a picture. Of the fleet file, with what it opens by itself; with `live` or `lab` of a
 * running controller, with what labels and people opened, what was proved and what was denied.
 */
export async function graph(options: GraphOptions, terminal: Terminal): Promise<Exit> {
  const isLive = options.live === true || options.lab !== undefined;
  const view = isLive ? await liveView(options) : await plannedView(await openFleet(options), options.host);
  const picture = drawn(view, options.host);
  if (!terminal.json) terminal.raw(picture[options.format]());
  terminal.result(picture.result);
  return exit.fine;
}

/** A view in each format; `result` is what stands in `json`. The same view gives the same bytes. */
export function drawn(
  view: TopologyView,
  host: string | undefined,
): { readonly result: object } & Readonly<Record<GraphOptions["format"], () => string>> {
  const focus: Focus = host === undefined ? { kind: "fleet" } : { kind: "host", host };
  const graph = graphOf(view, focus, everything);
  const result = { format: "sixgate.map/1", fleet: view.fleet, ...graph };
  return {
    result,
    svg: () => svgOf(layOut(graph, room), `${view.fleet}: ${view.delegated}`),
    dot: () => dotOf(graph),
    json: () => `${JSON.stringify(result, null, 2)}\n`,
  };
}

async function liveView(options: GraphOptions): Promise<TopologyView> {
  return await remoteAt(await openDoor(options)).get<TopologyView>("topology/1", "/api/v1/topology", {
    host: options.host,
  });
}

/** As if all of the file were so, its containers running, and nothing else: no agent is away, and nothing was proved. */
export async function plannedView(
  { fleet, plan }: Pick<Opened, "fleet" | "plan">,
  host?: string,
): Promise<TopologyView> {
  const statics = staticsOf({ fleet, plan }, instant(0));
  const planned: TopologySource = {
    basis: () => ({ fleet, plan }),
    status: () => ({ gateway: { reached: true, drift: 0 } }),
    agents: () => plan.hosts.map((each) => ({ host: each.host, state: "connected", containers: 0 })),
    openings: (of?: HostName) => (of === undefined ? statics : statics.filter((each) => each.host === of)),
    refusals: () => [],
    containers: (of) => {
      const host = plan.hosts.find((each) => each.host === of);
      return [...(fleet.hosts.get(of)?.docker.containers ?? [])].flatMap(([name, reserved]) => {
        const address = host === undefined ? undefined : reservedAddress(host, reserved);
        return address === undefined
          ? []
          : [{ name, endpoints: [{ network: reserved.network, networkId: "", address }] }];
      });
    },
  };
  return await topologyOf({ controller: planned, denied: [], proofOf: () => "unproved", host });
}
