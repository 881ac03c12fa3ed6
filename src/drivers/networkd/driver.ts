import type { GuestDesired } from "../../desired/desired.ts";
import { shellOf } from "../../runtime/way.ts";
import type { DriverKind } from "../driver.ts";
import { guestDriver } from "../linux/guest-driver.ts";
import { networkdTool } from "./api.ts";
import { normalize, render } from "./convert.ts";
import { audit } from "./limits.ts";

/** A machine whose network systemd-networkd makes (252 and later). */
export const networkd: DriverKind<GuestDesired> = {
  name: "networkd",
  layer: "guest",
  undo: "watchdog",
  audit,
  normalize,
  render,
  at: (way, desired) => guestDriver(networkdTool, shellOf(way), desired),
};
