import type { GatewayDesired } from "../../src/desired/desired.ts";
import { nftables } from "../../src/drivers/nftables/driver.ts";
import { inHolder, must } from "../holder.ts";
import { blindShells, type Target } from "./bench.ts";
import { missingFor } from "./needs.ts";
import { layerOf } from "./states.ts";

const web = "[{ to: vm1/web, ports: [443, 443/udp, ping], from: any }]";
const more =
  "[{ to: vm1/web, ports: [443], from: '2001:db8:aaaa::/48' }, { to: vm2/web, ports: [8000-8099], from: any }]";

const somebody = `table inet somebody {
  set s { type ipv6_addr; elements = { 2001:db8::5 }; }
  chain c {
    type filter hook input priority 10;
    ip6 saddr @s counter
  }
}
`;

export const nftablesTarget: Target<GatewayDesired> = {
  name: "nftables",
  states: [
    layerOf("gateway", "fw"),
    // Unlike the first in more than openings, so that the undo is the watchdog's.
    layerOf("gateway", "fw", { openings: web, policy: "{ between-hosts: open }" }),
    layerOf("gateway", "fw", { openings: more, policy: "{ between-hosts: open }" }),
    layerOf("gateway", "fw", { hosts: 3, openings: web, policy: "{ egress: closed }" }),
    layerOf("gateway", "fw", { hosts: 1 }),
  ],
  missing: () => missingFor(["root", "nft", "conntrack"]),
  open: () =>
    inHolder("conformance-nft", async (holder) => {
      const { shell } = holder;
      await must(shell, ["nft", "-f", "-"], somebody);
      return {
        kind: nftables,
        way: shell,
        foreign: () => must(shell, ["nft", "-s", "list", "table", "inet", "somebody"]),
        async meddle() {
          await must(shell, ["nft", "insert", "rule", "inet", "sixgate", "forward", "accept"]);
        },
        blind: (desired) => blindShells(shell).map((each) => nftables.at(each, desired)),
        close: () => holder.stop(),
      };
    }),
};
