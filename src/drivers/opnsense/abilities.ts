import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Core } from "./api.ts";
import { isRow, versions } from "./api.ts";

/** What a version can do by its API. By the product's tags 24.7 to 26.7.2; a later one is taken for the last of them. */
export type Abilities = {
  /** As the device says it: `25.7.3_7`. */
  readonly version: string;
  /** Kernel settings: from 25.1. */
  readonly tunables: boolean;
  /** Rules for one type of ICMPv6: from 26.1. Before, a rule for echo requests would let all of ICMPv6 in. */
  readonly icmp6Types: boolean;
  /** The field that switches a route: until 26.1 one is switched off by `disabled`. */
  readonly routeSwitch: "enabled" | "disabled";
  /** Counts of rules by their uuids, by which one sees that a rule is loaded: known of 25.7 and later. */
  readonly ruleCounts: boolean;
};

const first: Version = [24, 7];
/** The last one that this was written for. */
export const lastKnown: Version = [26, 7];

type Version = readonly [year: number, month: number];

export function abilitiesOf(version: string): Abilities | undefined {
  const [, year, month] = /^(\d{2})\.(\d{1,2})(?![0-9])/.exec(version) ?? [];
  if (year === undefined || month === undefined) return undefined;
  const at: Version = [Number(year), Number(month)];
  if (!isFrom(at, first)) return undefined;
  return {
    version,
    tunables: isFrom(at, [25, 1]),
    icmp6Types: isFrom(at, [26, 1]),
    routeSwitch: isFrom(at, [26, 7]) ? "enabled" : "disabled",
    ruleCounts: isFrom(at, [25, 7]),
  };
}

export function isNewerThanKnown(version: string): boolean {
  const [, year, month] = /^(\d{2})\.(\d{1,2})/.exec(version) ?? [];
  return year !== undefined && !isFrom(lastKnown, [Number(year), Number(month)]);
}

function isFrom([year, month]: Version, [least, leastMonth]: Version): boolean {
  return year > least || (year === least && month >= leastMonth);
}

/** Rejects with E561 for a version that is older than any this can drive. */
export async function abilitiesAt(core: Core, signal?: AbortSignal): Promise<Abilities> {
  const said = await core.get("/diagnostics/system/system_information", signal);
  const [told]: readonly unknown[] = isRow(said) && Array.isArray(said["versions"]) ? said["versions"] : [];
  const [, version] = /^OPNsense\s+(\S+?)(?:-\w+)?$/.exec(typeof told === "string" ? told : "") ?? [];
  if (version === undefined)
    throw new Failure(
      "E517",
      core.name,
      `The device does not say its version: ${printable(JSON.stringify(told ?? null).slice(0, 100))}`,
      versions,
    );
  const found = abilitiesOf(version);
  if (found !== undefined) return found;
  throw new Failure(
    "E561",
    core.name,
    `OPNsense ${printable(version)} can't be driven: 24.7 is the first that can`,
    "update it",
  );
}
