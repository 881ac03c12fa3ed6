import type { GuestDesired } from "../../desired/desired.ts";
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
  at: (shell, desired) => guestDriver(netplanTool, shell, desired),
};
