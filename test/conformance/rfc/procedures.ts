import type { Bench } from "./bench.ts";
import { firewall6Closed, firewall6Open } from "./judges/firewall6.ts";
import { nmapClosed, nmapOpen, scan6 } from "./judges/scanners.ts";
import { errorFlood, fragmentFlood } from "./procedures/floods.ts";
import { bootFile, management, nextHop } from "./procedures/gateway.ts";
import { advertisements, forgedNeighbours, redirects } from "./procedures/injection.ts";
import { neighbourFlood, neighbourFloodOpen, scan } from "./procedures/neighbours.ts";
import { opening, refresh } from "./procedures/state.ts";

/** `full` takes minutes; `quick` asks the same in part. Both have to come to the same word. */
export type Depth = "quick" | "full";

/** What packets of one batch can't ask: it waits, counts, or changes the gateway. */
export type Procedure = {
  /** For the page: how it asks. */
  readonly says: string;
  /** What is wrong, or undefined. Leaves the gateway as it was. */
  run(bench: Bench, depth: Depth): Promise<string | undefined>;
};

/** By the name that a row calls it. */
const procedures: Readonly<Record<string, Procedure>> = {
  advertisements,
  "boot file": bootFile,
  "error flood": errorFlood,
  "firewall6 closed": firewall6Closed,
  "firewall6 open": firewall6Open,
  "forged neighbours": forgedNeighbours,
  "fragment flood": fragmentFlood,
  management,
  "neighbour flood": neighbourFlood,
  "neighbour flood, open": neighbourFloodOpen,
  "next hop": nextHop,
  "nmap closed": nmapClosed,
  "nmap open": nmapOpen,
  opening,
  redirects,
  refresh,
  scan,
  scan6,
};

/** Throws an Error for a name that is none. */
export function procedureOf(name: string): Procedure {
  const found = Object.hasOwn(procedures, name) ? procedures[name] : undefined;
  if (found === undefined) throw new Error(`No such procedure: ${name}`);
  return found;
}
