import type { AddressPlan } from "../addressing/address-plan.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Engine } from "./engine.ts";
import type { Topology } from "./topology.ts";

/** The lab that is to be. */
export type LabWish = {
  readonly name: string;
  readonly fleetFile: string;
  readonly fleetText: string;
  /** The numbers, as the ledger file beside the fleet file has them or would have them. */
  readonly ledgerText: string;
  readonly fleet: Fleet;
  readonly plan: AddressPlan;
  readonly topology: Topology;
  readonly containers: "docker" | "stand-in";
  /** The engine to run in every host, for `docker`; the machine's own or an unpacked one by default. */
  readonly engine?: Engine;
};
