import type { Diagnostic } from "../base/diagnostic.ts";
import type { ChangeSet } from "../change/change-set.ts";
import type { Access } from "../change/guard.ts";
import type { Item } from "../change/item.ts";
import type {
  Desired,
  EngineDesired,
  GatewayDesired,
  GuestDesired,
  HypervisorDesired,
  ProviderDesired,
} from "../desired/desired.ts";
import { isApiWay, type Way } from "../runtime/way.ts";
import { docker } from "./docker/driver.ts";
import type { Driver, DriverKind, RenderedFile } from "./driver.ts";
import { hetzner } from "./hetzner/driver.ts";
import { ifupdownBridges, ifupdownGuest } from "./ifupdown/driver.ts";
import type { LaneKind } from "./members-lane.ts";
import { netplan } from "./netplan/driver.ts";
import { networkd } from "./networkd/driver.ts";
import { nftables } from "./nftables/driver.ts";
import { nftablesLane } from "./nftables/lane-kind.ts";
import { opnsense } from "./opnsense/driver.ts";
import { opnsenseLane } from "./opnsense/lane.ts";
import { pfsense } from "./pfsense/driver.ts";
import { pfsenseLane } from "./pfsense/lane.ts";
import { proxmox } from "./proxmox/driver.ts";

/** Every driver there is, by layer and by the name that the fleet file has for it. A new one is a folder and a line. */
export const drivers: {
  readonly provider: Readonly<Record<ProviderDesired["driver"], DriverKind<ProviderDesired>>>;
  readonly hypervisor: Readonly<Record<HypervisorDesired["driver"], DriverKind<HypervisorDesired>>>;
  readonly guest: Readonly<Record<GuestDesired["driver"], DriverKind<GuestDesired>>>;
  readonly gateway: Readonly<Record<GatewayDesired["driver"], DriverKind<GatewayDesired>>>;
  readonly engine: Readonly<Record<EngineDesired["driver"], DriverKind<EngineDesired>>>;
} = {
  provider: { hetzner },
  hypervisor: { ifupdown: ifupdownBridges, proxmox },
  guest: { networkd, netplan, ifupdown: ifupdownGuest },
  gateway: { nftables, pfsense, opnsense },
  engine: { docker },
};

/** The fast lane into each kind of gateway, by the name that the fleet file has for it. */
export const lanes: Readonly<Record<GatewayDesired["driver"], LaneKind>> = {
  nftables: nftablesLane,
  pfsense: pfsenseLane,
  opnsense: opnsenseLane,
};

/** A desired state with the driver that its name stands for. */
export type Bound = {
  readonly undo: DriverKind<Desired>["undo"];
  /** The desired state as the driver's `observe` will report it. */
  readonly items: readonly Item[];
  readonly driver: Driver;
  /** See {@link DriverKind}. */
  readonly shutOut: (access: Access) => string | undefined;
};

/** Ties a desired state to a device. Rejects nothing yet: nothing is read. */
export function bind(way: Way, desired: Desired): Bound {
  const driven = drivenBy(desired);
  // Without a shell there is nobody on the device to start a watchdog.
  const undo = isApiWay(way) && way.shell === undefined ? "none" : driven.undo;
  return { undo, items: driven.normalize(), driver: driven.at(way), shutOut: driven.shutOut };
}

/** What the device can't express. */
export function auditOf(desired: Desired): readonly Diagnostic[] {
  return drivenBy(desired).audit();
}

/** Every file of the layer. */
export function renderOf(desired: Desired): readonly RenderedFile[] {
  return drivenBy(desired).render();
}

/** A device's whole configuration file with the layer laid into it; undefined where the driver has no such file. */
export function renderInto(desired: Desired, text: string): string | undefined {
  return drivenBy(desired).renderInto?.(text);
}

/** What people should know before they agree to a change set of this layer. */
export function consequencesOf(desired: Desired, set: ChangeSet): readonly string[] {
  return drivenBy(desired).consequences(set);
}

/** A kind with its desired state filled in: what is left does not depend on the layer. */
type Driven = {
  readonly undo: DriverKind<Desired>["undo"];
  audit(): readonly Diagnostic[];
  normalize(): readonly Item[];
  render(): readonly RenderedFile[];
  readonly renderInto: ((text: string) => string) | undefined;
  consequences(set: ChangeSet): readonly string[];
  readonly shutOut: (access: Access) => string | undefined;
  at(way: Way): Driver;
};

function drivenBy(desired: Desired): Driven {
  switch (desired.layer) {
    case "provider":
      return fill(drivers.provider[desired.driver], desired);
    case "hypervisor":
      return fill(drivers.hypervisor[desired.driver], desired);
    case "guest":
      return fill(drivers.guest[desired.driver], desired);
    case "gateway":
      return fill(drivers.gateway[desired.driver], desired);
    case "engine":
      return fill(drivers.engine[desired.driver], desired);
  }
}

function fill<D extends Desired>(kind: DriverKind<D>, desired: D): Driven {
  return {
    undo: kind.undo,
    audit: () => kind.audit(desired),
    normalize: () => kind.normalize(desired),
    render: () => kind.render(desired),
    renderInto: kind.renderInto === undefined ? undefined : (text) => kind.renderInto?.(text, desired) ?? text,
    consequences: (set) => kind.consequences?.(set) ?? [],
    shutOut: (access) => kind.shutOut?.(desired, access),
    at: (way) => kind.at(way, desired),
  };
}
