import type { GuestDesired, HypervisorDesired } from "../../desired/desired.ts";
import { shellOf } from "../../runtime/way.ts";
import type { DriverKind } from "../driver.ts";
import { auditBridges } from "../linux/bridge-limits.ts";
import { guestDriver } from "../linux/guest-driver.ts";
import { bridgesDriver } from "./bridges-driver.ts";
import { normalize as normalizeBridges, render as renderBridges } from "./convert.ts";
import { guestTool } from "./guest-api.ts";
import { normalize, render } from "./guest-convert.ts";
import { audit } from "./limits.ts";

/** A machine whose network ifupdown (0.8) or ifupdown2 (3.0) makes, beside a main file that is not ours. */
export const ifupdownGuest: DriverKind<GuestDesired> = {
  name: "ifupdown",
  layer: "guest",
  undo: "watchdog",
  audit,
  normalize,
  render,
  at: (way, desired) => guestDriver(guestTool, shellOf(way), desired),
};

/** A hypervisor's bridges in /etc/network/interfaces, by ifupdown2: Proxmox without its API, or plain Debian. */
export const ifupdownBridges: DriverKind<HypervisorDesired> = {
  name: "ifupdown",
  layer: "hypervisor",
  undo: "watchdog",
  audit: auditBridges,
  normalize: normalizeBridges,
  render: renderBridges,
  at: (way, desired) => bridgesDriver(shellOf(way), desired),
};
