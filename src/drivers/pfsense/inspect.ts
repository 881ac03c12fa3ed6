import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import type { ApiWay } from "../../runtime/way.ts";
import { type Inspected, inspectClock, inspectRights } from "../inspected.ts";
import { inspectRoom, roomBy } from "../pf/headroom.ts";
import { type Rest, restAt } from "./api.ts";
import { nouns, pluralOf } from "./reading.ts";

const page = "docs/gateway-pfsense.md";

/** All that a plan asks. `/diagnostics/table` has to name a table, so it is not among them. */
const read: readonly string[] = [
  ...(Object.keys(nouns) as (keyof typeof nouns)[]).map(pluralOf),
  "/interface/available_interfaces",
  "/firewall/nat/outbound/mode",
  "/routing/gateway/default",
  "/firewall/apply",
  "/firewall/virtual_ip/apply",
  "/interface/apply",
  "/routing/apply",
];

/**
 * pfSense, its REST API package, rights of the key, clock, and room in pf. Only asks. Rejects where the device is not
 * reached, has no package or does not know the key.
 */
export async function inspectPfSense(
  { http, shell }: ApiWay,
  desired: GatewayDesired,
  now: number,
  signal?: AbortSignal,
): Promise<readonly Inspected[]> {
  const rest = restAt(http);
  const version = await product(rest, signal);
  const clock = inspectClock(http.clock(), now);
  const room = shell === undefined ? undefined : await roomBy(shell, signal);
  return [
    version,
    await packageVersion(rest, signal),
    inspectRights(await refused(rest, signal), page, "a right to write is only told by a write (E553)"),
    clock,
    ...(room === undefined
      ? [
          {
            what: "room in pf",
            found: shell === undefined ? "not read: it needs exec" : "pfctl does not tell",
            note: true,
          },
        ]
      : inspectRoom(room, desired, "System > Advanced > Firewall & NAT")),
  ];
}

/** `2.8.1-RELEASE` of CE; `25.11.1-RELEASE` of Plus. */
async function product(rest: Rest, signal?: AbortSignal): Promise<Inspected> {
  const text = await versionAt(rest, "/system/version", "version", signal);
  if (text === undefined) return { what: "pfSense", found: "may not be asked", note: true };
  const found = printable(text);
  const [major = 0, minor = 0, patch = 0] = text.split(/[.-]/).map(Number);
  const known = major >= 24 ? isFrom([major, minor], [24, 3]) : isFrom([major, minor, patch], [2, 7, 2]);
  if (known) return { what: "pfSense", found };
  return {
    what: "pfSense",
    found,
    code: "E607",
    fix: "update it: CE 2.7.2 or Plus 24.03 is the first that can be driven",
  };
}

/** pkg(8)'s version, with dots: `v2.10.0`. */
async function packageVersion(rest: Rest, signal?: AbortSignal): Promise<Inspected> {
  const what = "REST API package";
  const text = await versionAt(rest, "/system/restapi/version", "current_version", signal);
  if (text === undefined)
    return { what, found: "there; its version may not be asked (GET /system/restapi/version)", note: true };
  const numbers = text.replace(/^v/, "").split(".").map(Number);
  const found = printable(text);
  if (isFrom(numbers, [2, 4])) return { what, found };
  return { what, found, code: "E608", fix: `install 2.4 or later for this pfSense: ${page} says how` };
}

function isFrom(found: readonly number[], least: readonly number[]): boolean {
  for (const [i, each] of least.entries()) {
    const there = found[i] ?? 0;
    if (there !== each) return there > each;
  }
  return true;
}

async function versionAt(rest: Rest, path: string, field: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const said = (await rest.read(path, {}, signal))[field];
    return typeof said === "string" ? said : "not told";
  } catch (cause) {
    if (isRefused(cause)) return undefined;
    throw cause;
  }
}

async function refused(rest: Rest, signal?: AbortSignal): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const path of read) {
    try {
      // A list or one object: what it is does not matter here.
      await rest.ask(path, signal);
    } catch (cause) {
      if (!isRefused(cause)) throw cause;
      missing.push(`GET ${path}`);
    }
  }
  return missing;
}

function isRefused(cause: unknown): boolean {
  return cause instanceof Failure && cause.diagnostic.code === "E553";
}
