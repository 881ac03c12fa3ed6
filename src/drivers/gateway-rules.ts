import { Failure } from "../base/failure.ts";
import type { GatewayDesired } from "../desired/desired.ts";
import type { Way } from "../runtime/way.ts";
import { nftablesRules } from "./nftables/loaded-rules.ts";
import { opnsenseRules } from "./opnsense/rules.ts";
import { pfsenseRules } from "./pfsense/rules.ts";
import type { Loaded, RulesOf } from "./rules-of.ts";

/** The rules of every kind of gateway that the proof can read, by the name that the fleet file has for it. */
const kinds: Readonly<Partial<Record<GatewayDesired["driver"], RulesOf>>> = {
  nftables: nftablesRules,
  pfsense: pfsenseRules,
  opnsense: opnsenseRules,
};

/** Whether anybody reads the rules of such a gateway. */
export function readsRules({ driver }: GatewayDesired): boolean {
  return kinds[driver] !== undefined;
}

/** Rejects with E490 where nobody reads the rules of such a gateway, and with E970 where they can't be read. */
export async function loadedRules(way: Way, desired: GatewayDesired, signal?: AbortSignal): Promise<Loaded> {
  return rulesOf(desired).loaded(way, signal);
}

/** What would decide once the desired state is applied. Throws a Failure with E490 where nobody knows. */
export function plannedRules(desired: GatewayDesired): Loaded {
  return rulesOf(desired).planned(desired);
}

function rulesOf(desired: GatewayDesired): RulesOf {
  const found = kinds[desired.driver];
  if (found !== undefined) return found;
  throw new Failure(
    "E490",
    `${desired.device} ${desired.layer}`,
    `The rules of a gateway of kind ${desired.driver} are not read yet`,
    `read are: ${Object.keys(kinds).sort().join(", ")}`,
  );
}
