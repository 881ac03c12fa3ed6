import type { GatewayDesired } from "../desired/desired.ts";
import type { FilterRules, Site } from "../proof/filter-rules.ts";
import type { Way } from "../runtime/way.ts";

/** What decides on a gateway, and where it sends what. */
export type Loaded = {
  readonly rules: FilterRules;
  readonly site: Site;
  /** Types of ICMPv6 that such a gateway lets through whatever it is told, none of which opens a flow. */
  readonly unasked?: readonly number[];
};

/** The rules of one kind of gateway, for the proof. In `rules.ts` of the driver's folder. */
export type RulesOf = {
  /**
   * Everything that decides about IPv6 as it is loaded, whoever loaded it, and the routes. Rejects unless all of it was
   * read; what was read and isn't understood is opaque in it.
   */
  loaded(way: Way, signal?: AbortSignal): Promise<Loaded>;
  /** As it would be with the desired state on a gateway that has nothing else. Pure. */
  planned(desired: GatewayDesired): Loaded;
};
