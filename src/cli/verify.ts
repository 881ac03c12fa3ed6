import { keyOf } from "../change/change-set.ts";
import type { GatewayDesired } from "../desired/desired.ts";
import type { Loaded } from "../drivers/rules-of.ts";
import type { Opening } from "../openings/opening.ts";
import { claimsFor } from "../proof/allowed.ts";
import { Exposure } from "../proof/exposure.ts";
import { PacketSpace } from "../proof/packet-set.ts";
import type { Place } from "../proof/vantages.ts";
import { type Difference, Verifier } from "../proof/verify.ts";
import { differenceJson, printDifference } from "./difference.ts";
import type { DoorOptions } from "./door-options.ts";
import { type Exit, exit } from "./exit.ts";
import { gatewayIn, insideLab, type LabSource, openFleetOrLab, rulesFor, vantagesNamed } from "./gateway-rules.ts";
import { grantedBy } from "./granted.ts";
import { survey } from "./survey.ts";
import type { Terminal } from "./terminal.ts";

export type VerifyOptions = LabSource &
  DoorOptions & {
    readonly from?: readonly string[];
    readonly planned?: boolean;
  };

/** Hosts that are looked from where none is named. Each is a proof of its own. */
const mostHosts = 32;

export type Verified = {
  readonly place: Place;
  readonly differences: readonly Difference[];
  readonly addresses: number;
};

/** `sixgate verify`: what is loaded against what is wanted, and what gets through against what is allowed. */
export async function verify(options: VerifyOptions, terminal: Terminal): Promise<Exit> {
  const inside = await insideLab(options.lab);
  if (inside !== undefined) return inside;
  const opened = await openFleetOrLab(options);
  const desired = gatewayIn(opened);
  const places = placesToAsk(vantagesNamed(desired, opened.fleet, options.from), options, terminal);
  const surveyed = options.planned === true ? [] : await survey(opened, { lab: options.lab }, terminal);
  const drift = surveyed.flatMap(({ set }) =>
    set.changes.map((change) => `${set.device} ${set.layer}: ${change.kind} ${keyOf(change)}`),
  );
  const loaded = await rulesFor(opened, options);
  const granted = options.planned === true ? [] : await grantedBy(opened.fleet, options, terminal);
  const verified = places.map((place) => verifyFrom(place, loaded, desired, granted));
  for (const line of drift) terminal.line(`DRIFT    ${line}`, "bad");
  for (const each of verified)
    for (const difference of each.differences) printDifference(each.place.vantage.name, difference, terminal);
  for (const aside of loaded.rules.aside) terminal.say(`set aside: ${aside}`);
  const count = verified.reduce((sum, each) => sum + each.differences.length, 0);
  summarize({ drift: drift.length, count, verified, granted, loaded }, terminal);
  terminal.result({
    format: "sixgate.verify/1",
    drift,
    differences: verified.flatMap((each) =>
      each.differences.map((difference) => differenceJson(each.place.vantage.name, difference)),
    ),
    vantages: verified.map(({ place, addresses }) => ({ name: place.vantage.name, addresses })),
    openings: desired.openings.length + granted.length,
    aside: loaded.rules.aside,
  });
  return drift.length + count > 0 ? exit.changes : exit.fine;
}

export function verifyFrom(
  place: Place,
  { rules, site, unasked }: Loaded,
  desired: GatewayDesired,
  granted: readonly Opening[],
): Verified {
  const space = new PacketSpace();
  const exposure = new Exposure(rules, site, place.vantage, space);
  const claims = claimsFor(space, desired, granted, place, site, unasked);
  const differences = new Verifier(exposure, claims, desired.delegated).differences(rules, site);
  return { place, differences, addresses: exposure.points.size + exposure.destinations.cells.length };
}

/** Groups are a part of the Internet, so they say nothing new; and of many hosts not all are looked from unasked. */
function placesToAsk(all: readonly Place[], options: VerifyOptions, terminal: Terminal): readonly Place[] {
  if (options.from !== undefined) return all;
  const hosts = all.filter(({ seat }) => seat.side === "hosts");
  if (hosts.length > mostHosts) {
    terminal.say(`looked from ${mostHosts} of ${hosts.length} hosts; --from NAME looks from others`);
  }
  return [
    ...all.filter(({ seat, vantage }) => seat.side !== "hosts" && vantage.from === undefined),
    ...hosts.slice(0, mostHosts),
  ];
}

type Sum = {
  readonly drift: number;
  readonly count: number;
  readonly verified: readonly Verified[];
  readonly granted: readonly Opening[];
  readonly loaded: Loaded;
};

function summarize({ drift, count, verified, granted, loaded }: Sum, terminal: Terminal): void {
  const rules = [...loaded.rules.chains.values()].reduce((sum, chain) => sum + chain.rules.length, 0);
  const vantages = verified.map(({ place }) => place.vantage.name);
  const names =
    vantages.length > 6 ? `${vantages.slice(0, 6).join(", ")} and ${vantages.length - 6} more` : vantages.join(", ");
  terminal.line(
    drift === 0 ? "no drift: every device that was read is as planned" : `${plural(drift, "difference")} from the plan`,
    drift === 0 ? "good" : "bad",
  );
  terminal.line(
    count === 0
      ? `proved: nothing gets through but what is allowed, and all of that does (${rules} rules, ${granted.length} openings by the controller; from ${names})`
      : `not proved: ${plural(count, "difference")} between what gets through and what is allowed (${rules} rules; from ${names})`,
    count === 0 ? "good" : "bad",
  );
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
