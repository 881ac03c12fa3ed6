import type { GatewayDesired } from "../../desired/desired.ts";
import { apiOf, type Way } from "../../runtime/way.ts";
import type { Driver, DriverKind } from "../driver.ts";
import type { HeldWatchdog } from "../held-watchdog.ts";
import { networkOf, tunables } from "../pf/items.ts";
import { type PfDevice, pfDriver, type Round } from "../pf/pf-driver.ts";
import { pfctlAt } from "../pf/pfctl.ts";
import { type Core, coreAt } from "./api.ts";
import { normalize } from "./convert.ts";
import { kernelTunables, opnSenseExecAt } from "./exec.ts";
import { bringAliases, bringRules, bringTunables, dropAliases } from "./filter.ts";
import { inForceOf, kernelAt } from "./in-force.ts";
import { audit } from "./limits.ts";
import { bringGateways, bringRoutes, bringVips, dropRouting, dropVips } from "./network.ts";
import { itemsIn } from "./observe.ts";
import { type Reading, read } from "./reading.ts";
import { refuseImpossible } from "./refuse.ts";
import { render, renderInto } from "./render.ts";
import type { Work } from "./work.ts";

/** OPNsense 24.7 to 26.7 through its own API; a root shell is for the undo alone. */
export const opnsense: DriverKind<GatewayDesired> = {
  name: "opnsense",
  layer: "gateway",
  undo: "watchdog",
  audit,
  normalize,
  render,
  renderInto,
  at: opnsenseAt,
};

function opnsenseAt(way: Way, desired: GatewayDesired): Driver {
  const { http, shell } = apiOf(way);
  const core = coreAt(http);
  const pfctl = shell === undefined ? undefined : pfctlAt(shell);
  const kernel = kernelAt(core, pfctl);
  const settings = shell === undefined ? undefined : kernelTunables(shell, Object.keys(tunables));
  const gone = new Set<string>();
  const device: PfDevice<Reading> = {
    name: core.name,
    product: "opnsense",
    wanted: normalize(desired),
    ...(shell === undefined ? {} : { shell, exec: opnSenseExecAt(shell) }),
    async look(signal) {
      const reading = await read(core, settings, signal);
      const inForce = await inForceOf(reading, desired, { kernel, gone }, signal);
      return { reading, items: itemsIn(reading, desired, inForce), inForce };
    },
    refuse: ({ reading }, target) => refuseImpossible(core.name, reading, desired, target),
    keep: (exec, id, _seen, signal) => exec.snapshot(id, {}, signal),
    bring: (round, signal) => bring(workOf(core, desired, { round, gone, settings }, signal)),
  };
  return pfDriver(device);
}

/**
 * In an order in which nothing is named before it is there or gone before it is free: addresses, gateways, routes, aliases
 * with their tables, rules; then backwards for what goes.
 */
async function bring(work: Work): Promise<void> {
  await bringVips(work);
  await bringGateways(work);
  await bringRoutes(work);
  await bringAliases(work);
  await bringRules(work);
  await bringTunables(work);
  await dropRouting(work);
  await dropVips(work);
  await dropAliases(work);
}

type Bringing = {
  readonly round: Round<Reading>;
  readonly gone: Set<string>;
  readonly settings: Parameters<typeof read>[1];
};

function workOf(core: Core, desired: GatewayDesired, { round, gone, settings }: Bringing, signal?: AbortSignal): Work {
  const { seen, target, forced, hold } = round;
  const work: Work = {
    core: held(core, hold),
    target,
    links: networkOf(desired).links.map(({ name }) => name),
    forced,
    gone,
    reading: seen.reading,
    async reread() {
      work.reading = await read(core, settings, signal);
    },
    signal,
  };
  return work;
}

/** The same with a sign of life to the device's dead-man before each write. */
function held(core: Core, hold: HeldWatchdog["hold"]): Core {
  return {
    ...core,
    add: async (path, body, signal) => (await hold(signal), core.add(path, body, signal)),
    set: async (path, body, signal) => (await hold(signal), core.set(path, body, signal)),
    remove: async (path, signal) => (await hold(signal), core.remove(path, signal)),
    apply: async (path, signal) => (await hold(signal), core.apply(path, signal)),
  };
}
