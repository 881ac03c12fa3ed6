import type { Diagnostic } from "../../base/diagnostic.ts";
import type { GuestDesired } from "../../desired/desired.ts";
import { auditGuest } from "../linux/guest-limits.ts";

/** networkd says all that a guest can be; only what Linux itself does not take is refused. */
export function audit(desired: GuestDesired): readonly Diagnostic[] {
  return auditGuest(desired);
}
