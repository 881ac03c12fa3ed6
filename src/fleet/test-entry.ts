import type { HostName } from "../base/name.ts";
import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { firstOverlap, formatService, mergeServices } from "../openings/services.ts";
import type { Findings } from "./findings.ts";
import type { Fleet, FleetTest } from "./fleet.ts";
import { checkNumbers, resolveTarget } from "./opening-entry.ts";
import type { Path, Places } from "./places.ts";
import type { FleetFile } from "./schema.ts";

/** The entries of `tests:` with their names looked up. Entries with an error are left out. */
export function resolveTests(
  file: FleetFile,
  groups: Fleet["groups"],
  hosts: Fleet["hosts"],
  places: Places,
  findings: Findings,
): readonly FleetTest[] {
  return file.tests.flatMap((entry, i): FleetTest[] => {
    const path = ["tests", i];
    const to = resolveTarget(entry.to, [...path, "to"], file, hosts, findings);
    const from = resolveVantage(entry.from, [...path, "from"], groups, hosts, findings);
    checkNumbers(entry.open, [...path, "open"], places, findings);
    if (entry.closed !== "all") checkNumbers(entry.closed, [...path, "closed"], places, findings);
    const open = mergeServices(entry.open);
    const closed = entry.closed === "all" ? entry.closed : mergeServices(entry.closed);
    if (open.length === 0 && closed.length === 0)
      findings.error("E261", path, "Test that asks for nothing", "name what has to be open or closed");
    const both = closed === "all" ? undefined : closed.find((each) => firstOverlap(open, each) !== undefined);
    if (both !== undefined)
      findings.error("E262", path, `Open and closed at once: ${formatService(both)}`, "leave it in one of the two");
    return to === undefined || from === undefined ? [] : [{ from, to, open, closed, at: places.at(path) }];
  });
}

function resolveVantage(
  text: string,
  path: Path,
  groups: Fleet["groups"],
  hosts: Fleet["hosts"],
  findings: Findings,
): FleetTest["from"] | undefined {
  if (text === "internet" || text === "management") return { kind: text };
  if (groups.has(text)) return { kind: "group", group: text };
  const [name = "", container, ...rest] = text.split("/");
  const host = hosts.get(name as HostName);
  if (host !== undefined && container === undefined) return { kind: "host", host: host.name };
  if (host !== undefined && rest.length === 0 && container !== undefined && host.docker.containers.has(container))
    return { kind: "host", host: host.name, container };
  const known = ["internet", "management", ...groups.keys(), ...hosts.keys()];
  findings.error(
    "E260",
    path,
    `No vantage ${quote(text)}${didYouMean(name, known)}`,
    "write internet, a key of groups, management, a host, or host/container",
  );
  return undefined;
}
