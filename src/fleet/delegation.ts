import { parseAddress } from "../net/address.ts";
import { parsePrefix4 } from "../net/ipv4.ts";
import { contains, lengthOf, type Prefix, prefix } from "../net/prefix.ts";
import { readPrefix, readSource } from "./field-kinds.ts";
import type { Findings } from "./findings.ts";
import type { Delegation, Fleet } from "./fleet.ts";
import type { Path } from "./places.ts";
import type { FleetFile } from "./schema.ts";

/** The prefix in force as it was found, and where: `--prefix`, or the path of the file. */
export type GivenPrefix = { readonly text: string; readonly at: string };

type Resolved = Pick<Fleet, "prefix" | "delegation">;

/** False when addresses of the fleet are offsets only: no device may get them. */
export function hasPrefix(fleet: Fleet): boolean {
  return fleet.delegation === undefined || fleet.delegation.from !== undefined;
}

/** The prefix for messages: itself, or `the delegated /56` while none is in force. */
export function prefixText(fleet: Fleet): string {
  return hasPrefix(fleet) ? fleet.prefix : `the delegated /${lengthOf(fleet.prefix)}`;
}

/** The prefix to number in. After an error, and while none is in force, `::/length` stands in for it. */
export function resolvePrefix(file: FleetFile, given: GivenPrefix | undefined, findings: Findings): Resolved {
  if (typeof file.prefix === "string") {
    checkSame(file.prefix, given, findings);
    return { prefix: file.prefix };
  }
  const { delegated: length, file: path } = file.prefix;
  const delegation: Delegation = { length, ...(path === undefined ? {} : { file: path }) };
  const found = given === undefined ? undefined : readGiven(given, findings);
  if (given === undefined || found === undefined) return { prefix: prefix(`::/${length}`), delegation };
  if (lengthOf(found) === length) return { prefix: found, delegation: { ...delegation, from: given.at } };
  findings.errorAt(
    "E236",
    given.at,
    `${found} is a /${lengthOf(found)}, the fleet file says /${length}`,
    `give the whole /${length} that is delegated; if the provider gives another length now, set prefix.delegated`,
  );
  return { prefix: prefix(`::/${length}`), delegation };
}

function readGiven(given: GivenPrefix, findings: Findings): Prefix | undefined {
  const read = readPrefix(given.text);
  if ("value" in read) return read.value;
  findings.errorAt(read.code, given.at, read.text, read.fix);
  return undefined;
}

function checkSame(fixed: Prefix, given: GivenPrefix | undefined, findings: Findings): void {
  const found = given === undefined ? undefined : readGiven(given, findings);
  if (given === undefined || found === undefined || found === fixed) return;
  findings.errorAt(
    "E237",
    given.at,
    `${found} is not the fleet's prefix, which is fixed: ${fixed}`,
    `leave it out, or write prefix: { delegated: /${lengthOf(fixed)} } if the provider changes it`,
  );
}

export function checkDelegation(fleet: Fleet, file: FleetFile, findings: Findings): void {
  if (fleet.delegation === undefined) return;
  if (fleet.provider.delivery !== "routed") {
    findings.error(
      "E238",
      ["provider", "delivery"],
      "A delegated prefix is routed to who asked for it (RFC 8415): it is never on-link",
      "set delivery: routed, or write the on-link prefix itself under prefix",
    );
  }
  if (hasPrefix(fleet)) for (const [source, path] of sourcesIn(file)) warnIfOwn(fleet, source, path, findings);
}

function warnIfOwn(fleet: Fleet, source: Prefix, path: Path, findings: Findings): void {
  if (!contains(fleet.prefix, source)) return;
  findings.warning(
    "W210",
    path,
    `${source} lies in the delegated prefix ${fleet.prefix}: after the next change it is somebody else's`,
    "take it out, or name an address that stays",
  );
}

/** Every IPv6 source that is written down: of groups, of openings, of who may log in. */
function sourcesIn(file: FleetFile): readonly (readonly [Prefix, Path])[] {
  const groups = Object.entries(file.groups).flatMap(([name, all]) =>
    all.map((source, i) => [source, ["groups", name, i]] as const),
  );
  const openings = file.openings.flatMap(({ from }, n) =>
    from.flatMap((word) => {
      const read = /[:/]/.test(word) ? readSource(word) : undefined;
      return read !== undefined && "value" in read ? [[read.value, ["openings", n, "from"]] as const] : [];
    }),
  );
  const admins = file.gateway.admins.flatMap((source, i) =>
    isPrefix(source) ? [[source, ["gateway", "admins", i]] as const] : [],
  );
  return [...groups, ...openings, ...admins];
}

function isPrefix(source: FleetFile["gateway"]["admins"][number]): source is Prefix {
  return parsePrefix4(source) === undefined;
}

/** Reports an opening to an address that is written down. True when it did. */
export function refuseFixedTarget(text: string, file: FleetFile, path: Path, findings: Findings): boolean {
  const address = parseAddress(text);
  if (address === undefined || typeof file.prefix === "string") return false;
  findings.error(
    "E239",
    path,
    `The prefix changes, so nobody knows whose ${address} will be`,
    "write host/container, and give the container its address under docker.containers",
  );
  return true;
}
