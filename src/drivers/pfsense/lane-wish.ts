import type { PfRule } from "../pf/model.ts";
import { laneNone } from "../pf/names.ts";
import type { ServiceModel } from "../pf/policy.ts";

/** What the program is told: aliases and rules in pfSense's own words, interfaces by their devices. */
export type LaneWish = {
  readonly aliases: readonly {
    readonly name: string;
    readonly type: string;
    readonly address: string;
    readonly about: string;
  }[];
  readonly rules: readonly {
    readonly name: string;
    readonly on: string;
    readonly protocol: string;
    readonly port: string;
    readonly from: string;
    readonly to: string;
  }[];
};

/**
 * pfSense writes a table with no entries of its own as `persist`, and a reload leaves what is in it. One whose alias is
 * empty it flushes after each reload; so an alias of ours holds an alias that is empty (filter_generate_aliases in
 * filter.inc, 2.4 to 2.7).
 */
export function wishOf(services: readonly ServiceModel[]): LaneWish {
  const sources = services.flatMap((each) => each.sources);
  const unique = new Map(sources.map((each) => [each.name, each]));
  return {
    aliases: [
      { name: laneNone, type: "host", address: "", about: "empty, so that tables of openings keep what they hold" },
      ...[...unique.values()].map(({ name, type, entries, about }) => ({
        name,
        type,
        address: entries.join(" "),
        about,
      })),
      ...services.map(({ alias: { name, type, about } }) => ({ name, type, address: laneNone, about })),
    ],
    rules: services.flatMap(({ rules }) => rules.map(ruleWish)),
  };
}

function ruleWish({ name, on, match, from, to }: PfRule): LaneWish["rules"][number] {
  const ports = match.kind === "ports" ? match : undefined;
  const port =
    ports === undefined ? "" : ports.first === ports.last ? `${ports.first}` : `${ports.first}-${ports.last}`;
  const protocol = ports === undefined ? "icmp" : ports.transport;
  return { name, on, protocol, port, from: from.is === "any" ? "" : from.is, to: to.is };
}
