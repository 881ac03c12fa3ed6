import type { z } from "zod";
import { type Diagnostic, isError } from "../base/diagnostic.ts";
import { failed, ok, type Result } from "../base/result.ts";
import { checkApi } from "./check-api.ts";
import { checkDocker } from "./check-docker.ts";
import { checkHypervisors } from "./check-hypervisors.ts";
import { checkMachines } from "./check-machines.ts";
import { checkNetworks } from "./check-networks.ts";
import { checkPlan } from "./check-plan.ts";
import { checkPolicy } from "./check-policy.ts";
import { checkDelegation, type GivenPrefix, resolvePrefix } from "./delegation.ts";
import { kindOf } from "./field.ts";
import { type Findings, findingsIn } from "./findings.ts";
import type { Fleet } from "./fleet.ts";
import { describeIssue } from "./issue.ts";
import type { Places } from "./places.ts";
import { readYaml } from "./read-yaml.ts";
import { resolveFleet } from "./resolve.ts";
import { causedByAbsence, withoutBroken } from "./salvage.ts";
import { type FleetFile, fleetSchema } from "./schema.ts";

/**
 * Reads a fleet file. `file` is its name in messages. Broken syntax is reported alone; otherwise all errors come at
 * once, of single values and of values against each other. Warnings come with the fleet. `given` is the prefix in force,
 * for a fleet whose provider changes it; without one such a fleet has offsets for addresses (`hasPrefix`).
 */
export function parseFleet(text: string, file: string, given?: GivenPrefix): Result<Fleet> {
  const yaml = readYaml(text, file);
  if (!yaml.ok) return yaml;
  const { value, places } = yaml.value;
  const findings = findingsIn(places);
  if (value === null || value === undefined) {
    findings.error("E103", [], "Nothing in it", "start with `sixgate init`, or copy a file of examples/");
    return failed(findings.all);
  }
  if (typeof value !== "object" || Array.isArray(value)) {
    findings.error(
      "E104",
      [],
      `Expected a map, found ${kindOf(value)}`,
      "the first line is `sixgate: 1`, each key at the left margin",
    );
    return failed(findings.all);
  }
  const parsed = fleetSchema.safeParse(value);
  if (!parsed.success) return failed(errorsOf(parsed.error.issues, value, places, given));
  const fleet = checkFile(parsed.data, places, findings, given);
  return findings.all.some(isError) ? failed(findings.all) : ok(fleet, findings.all);
}

function checkFile(file: FleetFile, places: Places, findings: Findings, given: GivenPrefix | undefined): Fleet {
  const fleet = resolveFleet(file, resolvePrefix(file, given, findings), places, findings);
  checkDelegation(fleet, file, findings);
  checkPlan(fleet, places, findings);
  checkNetworks(fleet, findings);
  checkMachines(fleet, findings);
  checkApi(fleet, file, findings);
  checkHypervisors(fleet, file, findings);
  checkDocker(fleet, findings);
  checkPolicy(fleet, file, findings);
  return fleet;
}

/** The schema's errors, then what the checks find in the rest of the file. */
function errorsOf(
  issues: readonly z.core.$ZodIssue[],
  value: object,
  places: Places,
  given: GivenPrefix | undefined,
): readonly Diagnostic[] {
  const errors = issues.flatMap((issue) => describeIssue(issue, value, places));
  const rest = fleetSchema.safeParse(withoutBroken(value, issues));
  if (!rest.success) return errors;
  const findings = findingsIn(places);
  checkFile(rest.data, places, findings, given);
  return [...errors, ...findings.all.filter((each) => isError(each) && !causedByAbsence.has(each.code))];
}
