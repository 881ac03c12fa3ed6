import type { GatewayDesired } from "../../src/desired/desired.ts";
import type { MembersLane } from "../../src/drivers/members-lane.ts";
import { type MemoryFlow, memoryGateway, memoryLane } from "../../src/drivers/memory/lane.ts";
import { nftables } from "../../src/drivers/nftables/driver.ts";
import { laneOver } from "../../src/drivers/nftables/lane.ts";
import { netlinkWays } from "../../src/drivers/nftables/lane-netlink.ts";
import { programWays } from "../../src/drivers/nftables/lane-programs.ts";
import { parseAddress } from "../../src/net/address.ts";
import type { Shell } from "../../src/runtime/shell.ts";
import { type Holder, inHolder, must } from "../holder.ts";
import { reach } from "../machine.ts";
import type { FlowText, LaneBench, LaneTarget } from "./lane-bench.ts";
import { missingFor } from "./needs.ts";

type Parts = { readonly from: string; readonly to: string; readonly transport: string; readonly port: string };

function partsOf(flow: FlowText): Parts {
  const [from = "", , to = "", transport = "", port = ""] = flow.split(" ");
  return { from, to, transport, port };
}

export const memoryLaneTarget: LaneTarget = {
  name: "memory",
  missing: () => Promise.resolve(undefined),
  async open(desired) {
    const gateway = memoryGateway();
    return {
      lane: () => Promise.resolve(memoryLane(gateway, desired)),
      async begin(flows) {
        gateway.flows = [...gateway.flows, ...flows.map(memoryFlow)];
      },
      flows: () =>
        Promise.resolve(
          gateway.flows
            .map(({ from, to, transport, port }) => `${from} > ${to} ${transport} ${port}` as FlowText)
            .sort(),
        ),
      async blind() {
        gateway.fails = true;
      },
      close: () => Promise.resolve(),
    };
  },
};

function memoryFlow(flow: FlowText): MemoryFlow {
  const { from, to, transport, port } = partsOf(flow);
  const [source, destination] = [parseAddress(from), parseAddress(to)];
  if (source === undefined || destination === undefined) throw new Error(flow);
  return { from: source, to: destination, transport, port: Number(port) };
}

function onNftables(name: string, lane: (holder: Holder, desired: GatewayDesired) => MembersLane): LaneTarget {
  return {
    name,
    missing: () => missingFor(["root", "nft", "conntrack"]),
    open: (desired) =>
      inHolder("conformance-lane", async (holder) => {
        await reach(nftables, holder.shell, desired);
        return benchOn(holder, () => lane(holder, desired));
      }),
  };
}

function benchOn(holder: Holder, lane: () => MembersLane): LaneBench {
  const { shell } = holder;
  return {
    lane: () => Promise.resolve(lane()),
    async begin(flows) {
      for (const flow of flows) await inject(shell, flow);
    },
    flows: async () => liveFlows(await must(shell, ["conntrack", "-L", "-f", "ipv6"])),
    async blind() {
      await must(shell, ["nft", "delete", "table", "inet", "sixgate"]);
    },
    close: () => holder.stop(),
  };
}

async function inject(shell: Shell, flow: FlowText): Promise<void> {
  const { from, to, transport, port } = partsOf(flow);
  const state = transport === "tcp" ? ["--state", "ESTABLISHED"] : [];
  const tuple = ["-p", transport, "-s", from, "-d", to, "--sport", "40000", "--dport", port];
  await must(shell, ["conntrack", "-I", ...tuple, ...state, "-t", "300", "-u", "SEEN_REPLY,ASSURED"]);
}

function liveFlows(listing: string): readonly FlowText[] {
  return [...listing.matchAll(/^(tcp|udp) .*? src=(\S+) dst=(\S+) sport=\d+ dport=(\d+) src=/gm)]
    .map(([, transport = "", from = "", to = "", port = ""]) => `${from} > ${to} ${transport} ${port}` as FlowText)
    .sort();
}

export const netlinkLaneTarget: LaneTarget = onNftables("nftables by netlink", (holder, desired) =>
  laneOver(netlinkWays(desired.device, { namespace: `/proc/${holder.pid}/ns/net` }), desired),
);

export const programLaneTarget: LaneTarget = onNftables("nftables by programs", (holder, desired) =>
  laneOver(programWays(holder.shell), desired),
);
