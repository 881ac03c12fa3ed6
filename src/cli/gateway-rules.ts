import { Failure } from "../base/failure.ts";
import { derive } from "../desired/derive.ts";
import type { GatewayDesired } from "../desired/desired.ts";
import { loadedRules, plannedRules } from "../drivers/gateway-rules.ts";
import type { Loaded } from "../drivers/rules-of.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { enterRootless, hasRootless } from "../lab/rootless.ts";
import { readState } from "../lab/state.ts";
import { type Place, placesOf } from "../proof/vantages.ts";
import type { Exit } from "./exit.ts";
import { type FleetSource, type Opened, openFleet } from "./fleet-file.ts";
import { waysOf } from "./ways.ts";

export type LabSource = FleetSource & { readonly lab?: string | true | undefined };

/** The fleet of a verb that may look into a lab: the file named, else the lab's own. */
export async function openFleetOrLab(options: LabSource): Promise<Opened> {
  if (options.lab === undefined || options.file !== undefined) return openFleet(options);
  const name = labName(options.lab);
  const state = await readState(name);
  if (state === undefined)
    throw new Failure("E707", `lab ${name}`, "No lab of this name runs", "`sixgate lab up --detach` starts one");
  return openFleet({ file: state.fleetFile, prefix: options.prefix ?? state.prefix });
}

/** A lab without root is in a user namespace of its own: then the verb runs again in there, and this is its end. */
export async function insideLab(lab: string | true | undefined): Promise<Exit | undefined> {
  if (lab === undefined || !(await hasRootless(labName(lab)))) return undefined;
  return enterRootless(labName(lab), true);
}

function labName(lab: string | true): string {
  return lab === true ? "lab" : lab;
}

export function gatewayIn(opened: Opened): GatewayDesired {
  const found = derive(opened.fleet, opened.plan).find((each) => each.layer === "gateway");
  if (found === undefined) throw new Failure("E805", opened.file, "The fleet has no gateway", "give it one");
  return found;
}

/** What is loaded on the gateway; with `planned` what the fleet file makes of it, for which nothing is read. */
export async function rulesFor(opened: Opened, options: LabSource & { readonly planned?: boolean }): Promise<Loaded> {
  const desired = gatewayIn(opened);
  if (options.planned === true) return plannedRules(desired);
  const way = (await waysOf(opened.fleet, options.lab))(desired.device, desired.layer);
  if (way !== undefined) return loadedRules(way, desired);
  throw new Failure(
    "E805",
    desired.device,
    "The gateway can't be reached",
    "give it `reach:` or `api:` in the fleet file, or use --lab with a running lab",
  );
}

/** The vantages of these names; all of them where none is named. Rejects with E974 for a name that is none. */
export function vantagesNamed(
  desired: GatewayDesired,
  fleet: Fleet,
  names: readonly string[] | undefined,
): readonly Place[] {
  const all = placesOf(desired, fleet.groups);
  if (names === undefined) return all;
  return names.map((name) => {
    const found = all.find((each) => each.vantage.name === name);
    if (found !== undefined) return found;
    const known = all.slice(0, 12).map((each) => each.vantage.name);
    throw new Failure(
      "E974",
      "--from",
      `No vantage "${name}"`,
      `vantages: ${known.join(", ")}${all.length > 12 ? ", and more hosts" : ""}`,
    );
  });
}
