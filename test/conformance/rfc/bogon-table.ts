import { baseOf, lengthOf, nth, prefix } from "../../../src/net/prefix.ts";
import type { BogonsFile, Row, Table } from "./table.ts";

type Entry = BogonsFile["rows"][number];

/** Two rows of each prefix: as a source from outside, and as a destination from inside. */
export function bogonTable(file: BogonsFile): Table {
  const rows = [
    ...file.rows.flatMap((each) => sides(file.id, each, "dropped")),
    ...file.reachable.flatMap((each) => sides(file.id, each, "forwarded")),
  ];
  return { id: file.id, title: file.title, source: file.source, text: file.text, rows };
}

function sides(table: string, entry: Entry, expect: "dropped" | "forwarded"): readonly Row[] {
  return (["source", "destination"] as const).map((side) => ({
    id: `${entry.prefix} ${side}`,
    table,
    source: entry.source,
    requirement: `${entry.what}, as ${side}: ${expect}`,
    as: [],
    reads: [],
    timers: [],
    cases: addressesOf(entry).map((x) => ({
      what: "",
      policy: "as written",
      steps: [
        side === "source"
          ? {
              from: "internet",
              send: ["ip(x, mute)/UDP(sport=sp, dport=443)"],
              expect: wish(x, side, expect),
              with: { x },
            }
          : {
              from: "vm1",
              send: ["ip(mute, x)/UDP(sport=sp, dport=9000)"],
              expect: wish(x, side, expect),
              with: { x },
            },
      ],
    })),
  }));
}

/** A router says of a link-local source or destination that it is beyond its scope (RFC 4443 §3.1): that is no fault. */
function wish(x: string, side: "source" | "destination", expect: "dropped" | "forwarded"): string {
  return expect === "dropped" && (side === "destination" || /^fe[89ab]/.test(x)) ? "stopped" : expect;
}

function addressesOf({ prefix: text, addresses }: Entry): readonly string[] {
  if (addresses !== undefined) return addresses;
  const found = prefix(text);
  const last = nth(found, (1n << BigInt(128 - lengthOf(found))) - 1n);
  return [...new Set([baseOf(found), last ?? baseOf(found)])];
}
