import type { GuestDesired } from "../../desired/desired.ts";
import { shellOf } from "../../runtime/way.ts";
import type { DriverKind } from "../driver.ts";
import { guestDriver } from "../linux/guest-driver.ts";
import { netplanTool } from "./api.ts";
import { normalize, render } from "./convert.ts";
import { audit } from "./limits.ts";

/** A machine whose network netplan writes for systemd-networkd. */
export const netplan: DriverKind<GuestDesired> = {
  name: "netplan",
  layer: "guest",
  undo: "watchdog",
  audit,
  normalize,
  render,
  at: (way, desired) => guestDriver(netplanTool, shellOf(way), desired),
};
