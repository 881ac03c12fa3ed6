import type { GatewayDesired } from "../../desired/desired.ts";
import { apiOf, type Way } from "../../runtime/way.ts";
import type { Driver, DriverKind } from "../driver.ts";
import { networkOf } from "../pf/items.ts";
import { type PfDevice, pfDriver, type Round } from "../pf/pf-driver.ts";
import { pfctlAt } from "../pf/pfctl.ts";
import { type Rest, restAt } from "./api.ts";
import { bring } from "./bring.ts";
import { normalize } from "./convert.ts";
import { type PfSenseExec, pfSenseExecAt } from "./exec.ts";
import { heldExec, heldRest } from "./held.ts";
import { inForceOf, type Kernel } from "./in-force.ts";
import { audit, consequences } from "./limits.ts";
import { itemsIn } from "./observe.ts";
import { interfaceOn, type Reading, read } from "./reading.ts";
import { render, renderInto } from "./render.ts";
import { tablesBy } from "./tables.ts";
import type { Work } from "./work.ts";

/** pfSense CE and Plus through the REST API package (pfREST v2), with a root shell for what that lacks. */
export const pfsense: DriverKind<GatewayDesired> = {
  name: "pfsense",
  layer: "gateway",
  undo: "watchdog",
  audit,
  normalize,
  render,
  renderInto,
  consequences,
  at: (way, desired) => pfsenseAt(way, desired),
};

/** Two rules of one second share a tracker. */
const usualPace = 1100;

/** `pace` is for tests, whose clock is another. */
export function pfsenseAt(way: Way, desired: GatewayDesired, pace: number = usualPace): Driver {
  const { http, shell } = apiOf(way);
  const rest = restAt(http);
  const pfctl = shell === undefined ? undefined : pfctlAt(shell);
  const exec = shell === undefined ? undefined : pfSenseExecAt(shell);
  const kernel: Kernel =
    pfctl === undefined
      ? { tables: tablesBy(rest) }
      : { tables: (names, signal) => pfctl.tables(names, signal), pfctl };
  const device: PfDevice<Reading> = {
    name: rest.name,
    product: "pfsense",
    wanted: normalize(desired),
    ...(shell === undefined ? {} : { shell }),
    ...(exec === undefined ? {} : { exec }),
    async look(signal) {
      const reading = await read(rest, signal);
      const inForce = await inForceOf(reading, desired, kernel, signal);
      return { reading, items: itemsIn(reading, desired, inForce), inForce };
    },
    keep: (keeper, id, { reading }, signal) => keeper.snapshot(id, { interfaces: idsOf(reading, desired) }, signal),
    bring: (round, signal) => bring(workOf(rest, exec, desired, { round, pace }, signal), round.kept),
  };
  return pfDriver(device);
}

function idsOf(reading: Reading, desired: GatewayDesired): readonly string[] {
  return networkOf(desired).links.flatMap(({ name }) => interfaceOn(reading, name)?.id ?? []);
}

type Bringing = { readonly round: Round<Reading>; readonly pace: number };

function workOf(
  rest: Rest,
  exec: PfSenseExec | undefined,
  desired: GatewayDesired,
  { round, pace }: Bringing,
  signal?: AbortSignal,
): Work {
  const { seen, target, forced, hold } = round;
  const work: Work = {
    rest: heldRest(rest, hold),
    ...(exec === undefined ? {} : { exec: heldExec(exec, hold) }),
    target,
    links: networkOf(desired).links.map(({ name }) => name),
    touched: new Set(),
    forced,
    pace,
    reading: seen.reading,
    async reread() {
      work.reading = await read(rest, signal);
    },
    signal,
  };
  return work;
}
