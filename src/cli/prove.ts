import type { Basis } from "../controller/controller.ts";
import { deriveFilter } from "../desired/derive-filter.ts";
import type { GatewayDesired } from "../desired/desired.ts";
import { loadedRules } from "../drivers/gateway-rules.ts";
import { type Address, address } from "../net/address.ts";
import { baseOf, contains, nth } from "../net/prefix.ts";
import { anywhere } from "../openings/source.ts";
import { decideFlow } from "../proof/decide-flow.ts";
import type { Vantage } from "../proof/filter-rules.ts";
import { firstPacket } from "../proof/packet.ts";
import type { Way } from "../runtime/way.ts";
import type { Prove } from "../web/api.ts";
import { holds, missing, unknown } from "../web/why/link.ts";
import { decisionLines, formatPacket } from "./difference.ts";

/** Two strangers: where the fleet's prefix is documentation space, as in a lab, strangers are there too. */
const strangers: readonly [documentation: Address, internet: Address] = [
  address("2001:db8:ffff::2"),
  address("2600::1"),
];

/** An address of somebody on the Internet whose packets are no bogons to this gateway. */
export function strangerTo({ bogons }: Pick<GatewayDesired, "bogons">): Address {
  return bogons.some((each) => contains(each, strangers[0])) ? strangers[1] : strangers[0];
}

/**
 * The last link of `why`: what the rules that are loaded on the gateway now, foreign ones too, do with a first packet.
 * A gateway whose rules can't be read, or aren't understood there, is unknown.
 */
export function proveBy(way: Way, basis: () => Basis): Prove {
  return async ({ to, service, from: [source = anywhere] }) => {
    const { fleet, plan } = basis();
    const desired = deriveFilter(fleet, plan);
    const from = source === anywhere ? strangerTo(desired) : (nth(source, 2) ?? baseOf(source));
    try {
      const { rules, site } = await loadedRules(way, desired);
      const packet = firstPacket(
        service.kind === "ping"
          ? { from, to, transport: "icmpv6", type: 128 }
          : { from, to, transport: service.transport, port: service.ports.first },
        vantageOf(desired, from),
      );
      const decision = decideFlow(rules, site, packet);
      const text = `${formatPacket(packet)}: ${decisionLines(decision)
        .map((line) => line.trim().replace(/ {2,}/g, " "))
        .join(", ")}`;
      if (decision.verdict === "accept") return holds("proof", text);
      const fix = "see the links above; `sixgate verify` compares all rules with what is allowed";
      return decision.verdict === "unknown" ? unknown("proof", text, fix) : missing("proof", text, fix);
    } catch (cause) {
      const text = `The gateway's rules could not be read: ${cause instanceof Error ? cause.message : String(cause)}`;
      return unknown("proof", text, "try `sixgate verify`");
    }
  };
}

function vantageOf(desired: GatewayDesired, from: Address): Vantage {
  const host = desired.hosts.find(({ block }) => contains(block, from));
  return host === undefined
    ? { name: "internet", device: desired.uplink }
    : { name: host.host, device: desired.inside, mac: host.mac };
}
