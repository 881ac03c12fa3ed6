import type { Bench } from "./bench.ts";
import { errorFlood, fragmentFlood } from "./procedures/floods.ts";
import { management, nextHop } from "./procedures/gateway.ts";
import { advertisements, forgedNeighbours, redirects } from "./procedures/injection.ts";
import { neighbourFlood, neighbourFloodOpen, scan } from "./procedures/neighbours.ts";
import { opening, refresh } from "./procedures/state.ts";

/** What packets of one batch can't ask: it waits, counts, or changes the gateway. */
export type Procedure = {
  /** For the page: how it asks. */
  readonly says: string;
  /** What is wrong, or undefined. Leaves the gateway as it was. */
  run(bench: Bench): Promise<string | undefined>;
};

/** By the name that a row calls it. */
const procedures: Readonly<Record<string, Procedure>> = {
  advertisements,
  "error flood": errorFlood,
  "forged neighbours": forgedNeighbours,
  "fragment flood": fragmentFlood,
  management,
  "neighbour flood": neighbourFlood,
  "neighbour flood, open": neighbourFloodOpen,
  "next hop": nextHop,
  opening,
  redirects,
  refresh,
  scan,
};

/** Throws an Error for a name that is none. */
export function procedureOf(name: string): Procedure {
  const found = Object.hasOwn(procedures, name) ? procedures[name] : undefined;
  if (found === undefined) throw new Error(`No such procedure: ${name}`);
  return found;
}
