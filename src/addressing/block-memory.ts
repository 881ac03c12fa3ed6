import type { PlanRules } from "../fleet/fleet.ts";
import type { Prefix } from "../net/prefix.ts";
import type { HostPlan } from "./address-plan.ts";
import type { LedgerHost } from "./ledger.ts";

/** Keyed by the ledger's own entry, which never changes and is passed on as long as the host keeps its networks. */
const memory: WeakMap<LedgerHost, { readonly under: string; readonly plan: HostPlan }> = new WeakMap();

/**
 * `make`, but once per entry: in a process that plans again and again, a host that changed costs its own block and not
 * 4,094. Not seen from outside, for the answer is the same; it is forgotten with the ledger.
 */
export function rememberedBlocks(
  delegated: Prefix,
  lengths: PlanRules,
  make: (entry: LedgerHost) => HostPlan,
): (entry: LedgerHost) => HostPlan {
  const under = `${delegated} ${lengths.host} ${lengths.link} ${lengths.network}`;
  return (entry) => {
    const known = memory.get(entry);
    if (known !== undefined && known.under === under) return known.plan;
    const plan = make(entry);
    memory.set(entry, { under, plan });
    return plan;
  };
}
