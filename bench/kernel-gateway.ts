import type { Basis } from "../src/controller/controller.ts";
import { deriveFilter } from "../src/desired/derive-filter.ts";
import { lanes } from "../src/drivers/index.ts";
import type { MembersLane } from "../src/drivers/members-lane.ts";
import { nftables } from "../src/drivers/nftables/driver.ts";
import { inHolder, must } from "../test/holder.ts";
import { noMachine, reach } from "../test/machine.ts";

/** A gateway to write to. */
export type GatewayUnder = { lane(): Promise<MembersLane>; end(): Promise<void> };

/** A namespace with the gateway's ruleset in it, as `apply` makes it; or why there can't be one here. */
export async function kernelGateway(basis: Basis): Promise<GatewayUnder | string> {
  const lacking = await noMachine(["nft", "conntrack"]);
  if (lacking !== undefined) return lacking;
  const desired = deriveFilter(basis.fleet, basis.plan);
  return inHolder("bench-gateway", async ({ shell, stop }) => {
    const { uplink, hosts, management } = basis.fleet.gateway;
    for (const nic of [uplink, hosts, management])
      if (nic !== undefined)
        await must(shell, ["ip", "link", "add", nic.device, "type", "veth", "peer", "name", `x-${nic.device}`]);
    await reach(nftables, shell, desired);
    return {
      async lane() {
        const lane = await lanes.nftables?.open(shell, desired);
        if (lane === undefined) throw new Error("No lane");
        return lane;
      },
      end: stop,
    };
  });
}
