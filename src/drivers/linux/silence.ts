import type { BridgeDesired } from "../../desired/desired.ts";

/** What makes a bridge deaf to its VMs and neighbours. Not `disable_ipv6` where the host itself is on the bridge. */
export function silences(bridge: BridgeDesired): readonly { readonly key: string; readonly value: string }[] {
  if (!bridge.silent) return [];
  const conf = `net.ipv6.conf.${bridge.name.replaceAll(".", "/")}`;
  const deaf = [{ key: `${conf}.accept_ra`, value: "0" }];
  return bridge.address4 === undefined ? [...deaf, { key: `${conf}.disable_ipv6`, value: "1" }] : deaf;
}
