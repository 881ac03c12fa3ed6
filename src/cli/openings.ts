import { Failure } from "../base/failure.ts";
import { instant } from "../base/time.ts";
import type { OpeningView, RefusalView, SuggestionView } from "../controller/controller.ts";
import { formatPortRange } from "../net/port.ts";
import { mostAsked } from "../web/ids-query.ts";
import type { Counters } from "../web/routes/traffic.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { type Exit, exit } from "./exit.ts";
import { openingHeading, openingRow, whereOf } from "./opening-row.ts";
import { type Remote, remoteAt } from "./remote.ts";
import type { Cell, Terminal } from "./terminal.ts";

export type OpeningsOptions = DoorOptions & {
  readonly refused?: boolean;
  readonly suggestions?: boolean;
  readonly host?: string;
  readonly container?: string;
  readonly most: string;
};

/** An opening with what the gateway has counted at it; without `packets` where that is not known. */
type Counted = OpeningView & Pick<Counters, "packets" | "bytes"> & { readonly countedAt?: number };

type Kind<T> = {
  readonly format: string;
  readonly path: string;
  readonly heading: readonly string[];
  readonly none: string;
  row(entry: T): readonly Cell[];
  /** What is asked for beside the list. */
  more?(remote: Remote, entries: readonly T[]): Promise<readonly T[]>;
};

const open: Kind<Counted> = {
  format: "openings/1",
  path: "/api/v1/openings",
  heading: [...openingHeading, "PACKETS"],
  none: "nothing is open",
  row: (each) => [...openingRow(each, instant(Date.now())), each.packets === undefined ? "?" : String(each.packets)],
  more: counted,
};
const refused: Kind<RefusalView> = {
  format: "refusals/1",
  path: "/api/v1/refusals",
  heading: ["WHERE", "ASKED", "AT", "CODE", "WHY", "FIX"],
  none: "nothing was refused",
  row: (each) => [whereOf(each), each.text, each.at, { text: each.code, tone: "bad" }, each.why, each.fix],
};
const suggested: Kind<SuggestionView> = {
  format: "suggestions/1",
  path: "/api/v1/suggestions",
  heading: ["WHERE", "ADDRESS", "PORT", "DECLARED", "LABEL THAT ASKS FOR IT"],
  none: "no port is declared that nobody asked for",
  row: (each) => [
    whereOf(each),
    each.address,
    `${formatPortRange(each.ports)}/${each.transport}`,
    each.declared,
    each.label,
  ],
};

/** `sixgate openings`: what is open, what was refused, or what could be asked for. */
export async function openings(options: OpeningsOptions, terminal: Terminal): Promise<Exit> {
  if (options.refused === true && options.suggestions === true)
    throw new Failure(
      "E802",
      "--refused",
      "Either what was refused or what could be asked for",
      "leave one of --refused and --suggestions away",
    );
  const remote = remoteAt(await openDoor(options));
  if (options.refused === true) return list(refused, remote, options, terminal);
  if (options.suggestions === true) return list(suggested, remote, options, terminal);
  return list(open, remote, options, terminal);
}

async function list<T>(kind: Kind<T>, remote: Remote, options: OpeningsOptions, terminal: Terminal): Promise<Exit> {
  const most = Number(options.most);
  if (!Number.isSafeInteger(most) || most < 1)
    throw new Failure("E802", "--most", "Not a number of entries", "write 1 or more");
  const entries: T[] = [];
  let next: string | undefined;
  do {
    const query = {
      limit: Math.min(1000, most - entries.length),
      host: options.host,
      container: options.container,
      after: next,
    };
    const page = await remote.get<{ readonly entries: readonly T[]; readonly next?: string }>(
      kind.format,
      kind.path,
      query,
    );
    entries.push(...page.entries);
    next = page.next;
  } while (next !== undefined && entries.length < most);
  const full = (await kind.more?.(remote, entries)) ?? entries;
  if (full.length > 0)
    terminal.table(
      kind.heading,
      full.map((entry) => kind.row(entry)),
    );
  else terminal.line(kind.none, "dim");
  if (next !== undefined) terminal.say(`only the first ${entries.length}; --most shows more`);
  terminal.result({ format: `sixgate.${kind.format}`, entries: full, ...(next === undefined ? {} : { next }) });
  return exit.fine;
}

/** A list is one without its counters too: what can't be had is left out. */
async function counted(remote: Remote, entries: readonly Counted[]): Promise<readonly Counted[]> {
  const found = new Map<string, Counters>();
  for (let at = 0; at < entries.length; at += mostAsked) {
    const ids = entries.slice(at, at + mostAsked).map(({ id }) => id);
    const told = await remote
      .get<{ readonly entries: readonly Counters[] }>("traffic/1", "/api/v1/traffic", { ids: ids.join(",") })
      .catch((cause: unknown) => {
        if (cause instanceof Failure) return undefined;
        throw cause;
      });
    for (const each of told?.entries ?? []) found.set(each.id, each);
  }
  return entries.map((entry) => {
    const { packets, bytes, at } = found.get(entry.id) ?? {};
    if (packets === undefined || bytes === undefined || at === undefined) return entry;
    return { ...entry, packets, bytes, countedAt: at };
  });
}
