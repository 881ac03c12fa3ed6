import type { GatewayDesired } from "../../../desired/desired.ts";
import { plannedSite } from "../../../proof/planned-site.ts";
import { shellOf, type Way } from "../../../runtime/way.ts";
import type { Loaded, RulesOf } from "../../rules-of.ts";
import type { IsOurs } from "./filter-chain.ts";
import { plannedLines, plannedTables } from "./planned.ts";
import { readPf } from "./read.ts";
import { switchedOff, understand } from "./understand.ts";

/** What a product brings to the reading of its pf. */
export type PfProduct = {
  /** The rules for IPv6 that it makes by itself, as pfctl(8) prints them: before those of people, and after. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Types of ICMPv6 that it lets through everywhere, which nobody can switch off and none of which opens a flow. */
  readonly unasked: readonly number[];
  /** How rules that are ours are known among those that are loaded. */
  isOurs(way: Way, signal?: AbortSignal): Promise<IsOurs>;
  /** A rule of ours by its labels, as the product writes them. */
  labels(name: string): string;
};

/** What pf has no rule for, so that nobody takes it for proved. */
const unbound =
  "sources of hosts: pf does not tie them to MAC addresses, so each host is asked with addresses of its own block only";

/** The rules of pfSense and OPNsense, by pfctl(8) over a root shell. */
export function pfRules(product: PfProduct): RulesOf {
  return {
    async loaded(way, signal): Promise<Loaded> {
      const isOurs = await product.isOurs(way, signal);
      const read = await readPf(shellOf(way), signal);
      const { filter, translation, tables, skipped, interfaces, site } = read;
      const rules = read.isOn
        ? understand({ filter, translation, around: { tables, skipped, ...interfaces }, isOurs })
        : switchedOff();
      return { rules: { ...rules, aside: [...rules.aside, ...asideOf(product)] }, site, unasked: product.unasked };
    },
    planned(desired: GatewayDesired): Loaded {
      const rules = understand({
        filter: plannedLines(desired, product),
        translation: [],
        around: {
          tables: plannedTables(desired),
          skipped: [],
          addresses: new Map([[desired.uplink, desired.own]]),
          groups: new Map(),
        },
        isOurs: (labels) => labels.some((each) => each.includes("sixgate: ")),
      });
      return {
        rules: { ...rules, aside: asideOf(product) },
        site: plannedSite(desired),
        unasked: product.unasked,
      };
    },
  };
}

function asideOf({ unasked }: PfProduct): readonly string[] {
  return [
    unbound,
    `ICMPv6 of types ${unasked.join(", ")}, which the product lets through by itself, and of every type from hosts where they may send`,
  ];
}
