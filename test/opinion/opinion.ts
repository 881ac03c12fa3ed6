import { parseRules } from "../../src/drivers/nftables/rules.ts";
import { fromBits } from "../../src/net/address.ts";
import { formatEndpoint } from "../../src/net/flow.ts";
import { type Decision, decideFlow } from "../../src/proof/decide-flow.ts";
import { Exposure } from "../../src/proof/exposure.ts";
import type { FilterRules } from "../../src/proof/filter-rules.ts";
import { hasPacket, type Packet } from "../../src/proof/packet.ts";
import { PacketSpace } from "../../src/proof/packet-set.ts";
import type { Machine } from "../machine.ts";
import { type Case, type Ran, runCases, site, takenKey } from "./arena.ts";

export type Question = Case & { readonly packets: readonly Packet[] };

export type Disagreement = {
  readonly what: string;
  readonly packet: string;
  readonly ruleset: string;
};

export type Tally = {
  packets: number;
  accepted: number;
  dropped: number;
  /** Packets of which one of the two evaluators could not say. */
  unsaid: number;
  refused: number;
  /** Rulesets that nft loaded and could not list. */
  unlisted: number;
  disagreements: Disagreement[];
};

export function newTally(): Tally {
  return { packets: 0, accepted: 0, dropped: 0, unsaid: 0, refused: 0, unlisted: 0, disagreements: [] };
}

/** The kernel's word against both evaluators'. A packet that should have come through and did not is asked again. */
export async function compare(machine: Machine, questions: readonly Question[], tally: Tally): Promise<void> {
  const ran = await runCases(machine, questions);
  for (const [at, question] of questions.entries()) {
    const one = ran[at];
    if (one === undefined) {
      tally.unlisted++;
      continue;
    }
    tally.refused += one.refused.length;
    const first = judge(question, one);
    const late = first.disagreements.some((each) => each.what.startsWith("lost"));
    const again = late ? (await runCases(machine, [question], 0.3))[0] : undefined;
    const result = again === undefined ? first : judge(question, again);
    tally.packets += question.packets.length;
    tally.accepted += result.accepted;
    tally.dropped += result.dropped;
    tally.unsaid += result.unsaid;
    tally.disagreements.push(...result.disagreements);
  }
}

type Judged = {
  accepted: number;
  dropped: number;
  unsaid: number;
  readonly disagreements: Disagreement[];
};

function judge(question: Question, ran: Ran): Judged {
  const rules = parseRules(ran.listing, {
    legacy: false,
    bridges: [],
    devices: new Map([["netdev n early", ["wan"]]]),
  });
  const exposures = new Map<string, Exposure>();
  const judged: Judged = { accepted: 0, dropped: 0, unsaid: 0, disagreements: [] };
  for (const [id, packet] of question.packets.entries()) {
    const exposure = exposures.get(packet.in) ?? exposureAt(rules, packet.in);
    exposures.set(packet.in, exposure);
    const decision = decideFlow(rules, site, packet);
    const outcome = exposure.at(packet.to);
    const bySet = hasPacket(outcome.accepted, packet)
      ? "accept"
      : hasPacket(outcome.doubtful, packet)
        ? "unknown"
        : "drop";
    const byRule = decision.verdict === "reject" ? "drop" : decision.verdict;
    const really = cameThrough(packet, id, ran) ? "accept" : "drop";
    if (really === "accept") judged.accepted++;
    else judged.dropped++;
    if (bySet === "unknown" || byRule === "unknown") judged.unsaid++;
    for (const [who, said] of [
      ["sets", bySet],
      ["rules", byRule],
    ] as const) {
      if (said === "unknown" || said === really) continue;
      // The sets hold what may come through on a lucky day, whatever the class of traffic it came with.
      const isLoose =
        decision.chances.length > 0 ||
        ran.listing.includes('"mangle": {"key": {"payload": {"protocol": "ip6", "field": "dscp"}}');
      if (who === "sets" && said === "accept" && isLoose) continue;
      const what = `${said === "accept" ? "lost" : "leaked"}: ${who} say ${said}, the kernel ${really}`;
      judged.disagreements.push(disagreement(what, packet, decision, question, ran));
    }
  }
  return judged;
}

function exposureAt(rules: FilterRules, device: string): Exposure {
  return new Exposure(rules, site, { name: device, device }, new PacketSpace());
}

function cameThrough(packet: Packet, id: number, ran: Ran): boolean {
  if (packet.to !== "2001:db8:9::1") return (ran.seen.get(id) ?? []).length > 0;
  const { from, protocol, fromPort, toPort } = packet.values;
  return ran.taken.has(takenKey(fromBits(BigInt(from)), packet.to, Number(protocol), Number(fromPort), Number(toPort)));
}

function disagreement(what: string, packet: Packet, decision: Decision, question: Question, ran: Ran): Disagreement {
  const { from, protocol, fromPort, toPort, ...rest } = packet.values;
  const odd = Object.entries(rest).filter(([, value]) => value !== 0);
  const ends = `${formatEndpoint(fromBits(BigInt(from)), Number(fromPort))} to ${formatEndpoint(packet.to, Number(toPort))}`;
  const accepted = question.rules.filter((rule) => !ran.refused.some(([each]) => each === rule));
  return {
    what: `${what}; by "${decision.by?.text ?? decision.why}" in ${decision.by?.chain ?? decision.stage}`,
    packet: `in ${packet.in} protocol ${Number(protocol)} ${ends} ${odd.map(([key, value]) => `${key}=${value}`).join(" ")}`,
    ruleset: `${question.setup}\n${accepted.join("\n")}`,
  };
}
