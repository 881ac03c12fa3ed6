import { Exposure } from "../proof/exposure.ts";
import { noPackets, type PacketSet, PacketSpace } from "../proof/packet-set.ts";
import { flowsIn, formatDestination, formatGroup, formatSources, groupsOf } from "../proof/seen-flows.ts";
import { type Exit, exit } from "./exit.ts";
import { gatewayIn, insideLab, type LabSource, openFleetOrLab, rulesFor, vantagesNamed } from "./gateway-rules.ts";
import type { Terminal } from "./terminal.ts";

export type ExposureOptions = LabSource & { readonly from: string; readonly planned?: boolean; readonly most: string };

type Row = { readonly flows: PacketSet; readonly doubtful: boolean; readonly places: (readonly [bigint, bigint])[] };

/** `sixgate exposure`: all that new flows from one vantage can use, address by address, by the rules that are loaded. */
export async function exposure(options: ExposureOptions, terminal: Terminal): Promise<Exit> {
  const inside = await insideLab(options.lab);
  if (inside !== undefined) return inside;
  const opened = await openFleetOrLab(options);
  const [place] = vantagesNamed(gatewayIn(opened), opened.fleet, [options.from]);
  if (place === undefined) throw new RangeError("no vantage");
  const { rules, site } = await rulesFor(opened, options);
  const space = new PacketSpace();
  const rows = rowsOf(new Exposure(rules, site, place.vantage, space), space);
  const most = Number(options.most);
  terminal.table(
    ["TO", "WHAT", "FROM", "CERTAIN"],
    rows
      .slice(0, most)
      .flatMap(({ flows, doubtful, places }) =>
        groupsOf(flows, 20).groups.map((group, at) => [
          at === 0 ? placesText(places) : "",
          formatGroup(group),
          formatSources(group.from),
          doubtful ? { text: "no", tone: "bad" as const } : "yes",
        ]),
      ),
  );
  if (rows.length > most) terminal.say(`the first ${most} of ${rows.length} kinds of addresses; --most shows more`);
  terminal.result({
    format: "sixgate.exposure/1",
    vantage: options.from,
    rows: rows.map(({ flows, doubtful, places }) => ({
      certain: !doubtful,
      flows: groupsOf(flows, 1000).groups.map((group) => ({ what: formatGroup(group), from: group.from })),
      places: places.map(([first, last]) => formatDestination(first, last)),
    })),
  });
  return exit.fine;
}

/** Addresses of the same flows together; the single ones first. */
function rowsOf(exposure: Exposure, space: PacketSpace): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const { first, last, outcome } of exposure.all()) {
    for (const doubtful of [false, true]) {
      const flows = flowsIn(space, doubtful ? outcome.doubtful : outcome.accepted);
      if (flows === noPackets) continue;
      const key = `${flows.id} ${doubtful}`;
      const row = rows.get(key) ?? { flows, doubtful, places: [] };
      rows.set(key, row);
      row.places.push([first, last]);
    }
  }
  const isSingle = ({ places }: Row): boolean => places.every(([first, last]) => first === last);
  return [...rows.values()].sort((a, b) => Number(isSingle(b)) - Number(isSingle(a)));
}

function placesText(places: readonly (readonly [bigint, bigint])[]): string {
  const shown = places.slice(0, 3).map(([first, last]) => formatDestination(first, last));
  return places.length > shown.length
    ? `${shown.join(", ")} and ${places.length - shown.length} more`
    : shown.join(", ");
}
