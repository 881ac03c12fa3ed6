import type { GatewayDesired } from "../../../desired/desired.ts";
import { plannedSite } from "../../../proof/planned-site.ts";
import { shellOf } from "../../../runtime/way.ts";
import type { Loaded, RulesOf } from "../../rules-of.ts";
import { mark } from "../names.ts";
import { plannedLines, plannedTables } from "./planned.ts";
import type { PfProduct } from "./product.ts";
import { readPf } from "./read.ts";
import { switchedOff, understand } from "./understand.ts";

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
        isOurs: (labels) => labels.some((each) => each.includes(mark)),
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
