import type { Access } from "../../change/guard.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { parseAddress } from "../../net/address.ts";
import { contains4, parseAddress4, parsePrefix4 } from "../../net/ipv4.ts";
import { contains, parsePrefix } from "../../net/prefix.ts";

/** What the chains `input` and `management` say to a login from there: the reason why they drop it, undefined where they accept. */
export function shutOut({ management }: GatewayDesired, { from, device }: Access): string | undefined {
  if (from === undefined || device === undefined || device === "lo") return undefined;
  if (management === undefined) return `We came in on ${device}, and without a management interface nobody may log in`;
  if (management.device !== device)
    return `We came in on ${device}, and only those on ${management.device}, the management interface, may log in`;
  const [six, four] = [parseAddress(from), parseAddress4(from)];
  const isAdmin = management.admins.some((each) => {
    const [prefix6, prefix4] = [parsePrefix(each), parsePrefix4(each)];
    if (six !== undefined && prefix6 !== undefined) return contains(prefix6, six);
    return four !== undefined && prefix4 !== undefined && contains4(prefix4, four);
  });
  return isAdmin ? undefined : `We came in from ${from}, who is not among admins and may not log in`;
}
