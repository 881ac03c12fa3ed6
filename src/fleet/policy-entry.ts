import type { HostName } from "../base/name.ts";
import type { AllowRule, Asker, OpeningPolicy } from "../openings/policy.ts";
import { mergeServices } from "../openings/services.ts";
import type { Findings } from "./findings.ts";
import type { Fleet } from "./fleet.ts";
import { checkNumbers, resolveSources } from "./opening-entry.ts";
import type { Places } from "./places.ts";
import type { FleetFile } from "./schema.ts";

const askers: Readonly<Record<"labels" | "people" | "anyone", readonly Asker[]>> = {
  labels: ["labels"],
  people: ["people"],
  anyone: ["labels", "people"],
};

/** What may be opened, with names looked up. Rules whose sources have an error are left out. */
export function resolvePolicy(
  file: FleetFile,
  groups: Fleet["groups"],
  places: Places,
  findings: Findings,
): OpeningPolicy {
  const { allow, never, limits, "stale-after": staleAfter, "trust-images": trustImages } = file.policy;
  checkNumbers(never, ["policy", "never"], places, findings);
  const rules = allow.flatMap((entry, i): readonly AllowRule[] => {
    const path = ["policy", "allow", i];
    const from = resolveSources(entry.from, [...path, "from"], groups, findings);
    checkNumbers(entry.ports, [...path, "ports"], places, findings);
    const rule = {
      id: entry.name ?? `allow[${i}]`,
      hosts: entry.hosts.includes("*") ? ("all" as const) : entry.hosts.map((name) => name as HostName),
      services: mergeServices(entry.ports),
      from,
      by: askers[entry.by],
      ...(entry.for === undefined ? {} : { longest: entry.for }),
    };
    return from.length === 0 ? [] : [rule];
  });
  return {
    allow: rules,
    never: mergeServices(never),
    limits: { perContainer: limits["per-container"], perHost: limits["per-host"], lease: limits.lease },
    staleAfter,
    trustImages,
  };
}
