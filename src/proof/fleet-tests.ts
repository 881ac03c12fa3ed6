import type { AddressPlan } from "../addressing/address-plan.ts";
import { reservedAddress } from "../addressing/reserved-address.ts";
import type { HostName } from "../base/name.ts";
import type { GatewayDesired } from "../desired/desired.ts";
import type { Fleet, FleetTest } from "../fleet/fleet.ts";
import type { Address } from "../net/address.ts";
import type { Prefix } from "../net/prefix.ts";
import { PrefixSet } from "../net/prefix-set.ts";
import type { Service } from "../openings/opening.ts";
import { formatService } from "../openings/services.ts";
import { messagesOfTypes, serviceFlows, usualFlows } from "./allowed.ts";
import { plainPackets, prefixValues } from "./arrivals.ts";
import { type Decision, decideAs, decideFlow } from "./decide-flow.ts";
import { Exposure } from "./exposure.ts";
import type { FilterRules, Site, Vantage } from "./filter-rules.ts";
import { examplePacket, type Packet } from "./packet.ts";
import { allPackets, noPackets, type PacketSet, PacketSpace } from "./packet-set.ts";
import { flowsIn } from "./seen-flows.ts";

/** A fleet's test, with the addresses that its names stand for. */
export type PlacedTest = {
  readonly test: FleetTest;
  /** `internet → vm1/web`. */
  readonly name: string;
  readonly vantage: Vantage;
  readonly to: Address;
};

/** What became of one demand of a test. `packet` and `decision` show a failure. */
export type TestResult = {
  readonly placed: PlacedTest;
  /** `80/tcp`, `ping`, or `all others`. */
  readonly what: string;
  readonly want: "open" | "closed";
  readonly passed: boolean;
  readonly packet?: Packet;
  readonly decision?: Decision;
};

export function placeTests(fleet: Fleet, plan: AddressPlan, desired: GatewayDesired): readonly PlacedTest[] {
  return fleet.tests.map((test) => {
    const to = test.to.kind === "address" ? test.to.address : addressOf(fleet, plan, test.to.host, test.to.container);
    if (to === undefined) throw new RangeError(`${test.at}: a test of what the plan has not`);
    const name = test.to.kind === "address" ? test.to.address : `${test.to.host}/${test.to.container}`;
    return { test, to, name: `${vantageName(test)} → ${name}`, vantage: vantageOf(test, fleet, plan, desired) };
  });
}

function addressOf(fleet: Fleet, plan: AddressPlan, host: HostName, container: string): Address | undefined {
  const numbers = plan.hosts.find((each) => each.host === host);
  const reserved = fleet.hosts.get(host)?.docker.containers.get(container);
  return numbers === undefined || reserved === undefined ? undefined : reservedAddress(numbers, reserved);
}

function vantageName({ from }: FleetTest): string {
  if (from.kind === "group") return from.group;
  return from.kind === "host" ? [from.host, from.container].filter((each) => each !== undefined).join("/") : from.kind;
}

function vantageOf(test: FleetTest, fleet: Fleet, plan: AddressPlan, desired: GatewayDesired): Vantage {
  const name = vantageName(test);
  const { from } = test;
  if (from.kind === "management") return { name, device: desired.management?.device ?? "" };
  if (from.kind !== "host") {
    const of = from.kind === "group" ? (fleet.groups.get(from.group) ?? []) : strangers(desired, fleet);
    return { name, device: desired.uplink, from: of };
  }
  const host = desired.hosts.find((each) => each.host === from.host);
  const own = from.container === undefined ? host?.address : addressOf(fleet, plan, from.host, from.container);
  if (host === undefined || own === undefined) throw new RangeError(`${test.at}: a test from what the plan has not`);
  return { name, device: desired.inside, mac: host.mac, from: [`${own}/128` as Prefix] };
}

/**
 * Sources that packets from the Internet may have: not our own, and none that never comes from there. Those of the
 * fleet's groups are left out, since more may be open to them; a test of its own asks for each.
 */
export function strangers({ bogons, delegated }: GatewayDesired, { groups }: Fleet): readonly Prefix[] {
  const all = PrefixSet.of(["::/0" as Prefix]).subtract(PrefixSet.of([...bogons, delegated]));
  const others = all.subtract(PrefixSet.of([...groups.values()].flat()));
  return (others.isEmpty() ? all : others).prefixes();
}

/**
 * Every demand of every test, asked of the rules. What depends on a rule that is not understood does not pass. `closed: all`
 * does not ask for `unasked`, the types of ICMPv6 that such a gateway can't keep out.
 */
export function runTests(
  tests: readonly PlacedTest[],
  rules: FilterRules,
  site: Site,
  unasked: readonly number[] = [],
): readonly TestResult[] {
  const space = new PacketSpace();
  const loose = unasked.length === 0 ? noPackets : messagesOfTypes(space, unasked);
  const exposures = new Map<string, Exposure>();
  return tests.flatMap((placed): TestResult[] => {
    const { vantage, test, to } = placed;
    const key = JSON.stringify(vantage);
    const exposure = exposures.get(key) ?? new Exposure(rules, site, vantage, space);
    exposures.set(key, exposure);
    const asked: Asked = { placed, exposure, rules, site };
    const open = test.open.map((service) => askOpen(asked, service));
    const named = space.union(test.open.map((service) => serviceFlows(space, service)));
    const closed =
      test.closed === "all"
        ? [askClosed(asked, "all others", space.minus(allPackets, space.or(named, loose)))]
        : test.closed.map((service) => askClosed(asked, formatService(service), serviceFlows(space, service)));
    return [...open, ...closed].map((each) => explained(each, to, asked));
  });
}

type Asked = {
  readonly placed: PlacedTest;
  readonly exposure: Exposure;
  readonly rules: FilterRules;
  readonly site: Site;
};
type Answer = { readonly what: string; readonly want: "open" | "closed"; readonly wrong: PacketSet };

/** Wrong are plain packets of the service that do not get through for certain. */
function askOpen({ placed, exposure }: Asked, service: Service): Answer {
  const { space } = exposure;
  const plain = plainPackets(space);
  const wanted = [
    serviceFlows(space, service),
    usualFlows(space),
    ...(placed.vantage.from === undefined ? [] : [space.where("from", prefixValues(placed.vantage.from))]),
  ].reduce((all, each) => space.and(all, each));
  const through = flowsIn(space, space.and(exposure.at(placed.to).accepted, plain));
  return { what: formatService(service), want: "open", wrong: space.and(space.minus(wanted, through), plain) };
}

/** Wrong are packets of the flows, as odd as they may be, that get through or may do so. */
function askClosed({ placed, exposure }: Asked, what: string, flows: PacketSet): Answer {
  const { space } = exposure;
  const { accepted, doubtful } = exposure.at(placed.to);
  return { what, want: "closed", wrong: space.and(space.or(accepted, doubtful), flows) };
}

function explained({ what, want, wrong }: Answer, to: Address, { placed, exposure, rules, site }: Asked): TestResult {
  if (wrong === noPackets) return { placed, what, want, passed: true };
  const { space } = exposure;
  const usual = space.and(wrong, plainPackets(space));
  const at = { in: placed.vantage.device, to };
  const packet = examplePacket(usual === noPackets ? wrong : usual, at);
  if (packet === undefined) throw new RangeError("A failure without a packet");
  const decision = want === "open" ? decideFlow(rules, site, packet) : decideAs(rules, site, packet, "accept");
  return { placed, what, want, passed: false, packet, decision };
}
