import { Failure } from "../base/failure.ts";
import type { FleetTest } from "../fleet/fleet.ts";
import type { Address } from "../net/address.ts";
import { baseOf, nth } from "../net/prefix.ts";
import { decideFlow } from "../proof/decide-flow.ts";
import type { Vantage } from "../proof/filter-rules.ts";
import { firstPacket } from "../proof/packet.ts";
import { decisionJson, decisionLines, formatPacket, packetJson } from "./difference.ts";
import { type Exit, exit } from "./exit.ts";
import type { Opened } from "./fleet-file.ts";
import { gatewayIn, insideLab, type LabSource, openFleetOrLab, rulesFor } from "./gateway-rules.ts";
import { strangerTo } from "./prove.ts";
import { containerAddress, targetIn, vantageIn } from "./target.ts";
import type { Terminal } from "./terminal.ts";

export type WhyRulesOptions = LabSource & { readonly from: string };

/** `sixgate why --rules`: the rule that decides a first packet, by what is loaded on the gateway alone. */
export async function whyRules(target: string, options: WhyRulesOptions, terminal: Terminal): Promise<Exit> {
  const inside = await insideLab(options.lab);
  if (inside !== undefined) return inside;
  const opened = await openFleetOrLab(options);
  const { to, service } = targetIn(target, opened);
  if (service === undefined)
    throw new Failure("E802", "why", "No port", "write for example vm1/web:443 or vm1/web:ping");
  const { rules, site } = await rulesFor(opened, options);
  const { vantage, from } = placeOf(vantageIn(options.from, opened), options.from, opened);
  const packet = firstPacket(
    service.kind === "ping"
      ? { from, to, transport: "icmpv6", type: 128 }
      : { from, to, transport: service.transport, port: service.ports.first },
    vantage,
  );
  const decision = decideFlow(rules, site, packet);
  const tone = decision.verdict === "accept" ? "good" : decision.verdict === "unknown" ? "change" : "bad";
  terminal.line(`${options.from}: ${formatPacket(packet)}`, tone);
  for (const line of decisionLines(decision)) terminal.line(`  ${line}`);
  terminal.result({ format: "sixgate.why-rules/1", packet: packetJson(packet), decision: decisionJson(decision) });
  return exit.fine;
}

function placeOf(
  from: FleetTest["from"],
  name: string,
  opened: Opened,
): { readonly vantage: Vantage; readonly from: Address } {
  const desired = gatewayIn(opened);
  const stranger = strangerTo(desired);
  if (from.kind === "management")
    return { vantage: { name, device: desired.management?.device ?? "" }, from: stranger };
  if (from.kind !== "host") {
    const [first] = from.kind === "group" ? (opened.fleet.groups.get(from.group) ?? []) : [];
    const own = first === undefined ? stranger : (nth(first, 2) ?? baseOf(first));
    return { vantage: { name, device: desired.uplink }, from: own };
  }
  const host = desired.hosts.find((each) => each.host === from.host);
  const own = from.container === undefined ? host?.address : containerAddress(opened, from.host, from.container);
  if (host === undefined || own === undefined)
    throw new Failure("E974", "--from", `No vantage "${name}"`, "write a host, or host/container with a set address");
  return { vantage: { name, device: desired.inside, mac: host.mac }, from: own };
}
