import type { Diagnostic } from "../../base/diagnostic.ts";
import type { GuestDesired } from "../../desired/desired.ts";
import { auditGuest } from "../linux/guest-limits.ts";

/** Commands in the file say what ifupdown has no words for, so only what Linux itself does not take is refused. */
export function audit(desired: GuestDesired): readonly Diagnostic[] {
  return auditGuest(desired);
}
