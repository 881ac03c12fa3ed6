import type { GatewayDesired } from "../desired/desired.ts";
import type { Way } from "../runtime/way.ts";
import { nftablesRules } from "./nftables/loaded-rules.ts";
import { opnsenseRules } from "./opnsense/rules.ts";
import { pfsenseRules } from "./pfsense/rules.ts";
import type { Loaded, RulesOf } from "./rules-of.ts";

/** The rules of every kind of gateway by the name that the fleet file has for it. */
const kinds: Readonly<Record<GatewayDesired["driver"], RulesOf>> = {
  nftables: nftablesRules,
  pfsense: pfsenseRules,
  opnsense: opnsenseRules,
};

/** Rejects with E970 where they can't be read, and with E556 where that takes a shell and there is none. */
export async function loadedRules(way: Way, desired: GatewayDesired, signal?: AbortSignal): Promise<Loaded> {
  return kinds[desired.driver].loaded(way, signal);
}

/** What would decide once the desired state is applied. */
export function plannedRules(desired: GatewayDesired): Loaded {
  return kinds[desired.driver].planned(desired);
}
