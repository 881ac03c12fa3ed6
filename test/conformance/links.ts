import type { Shell } from "../../src/runtime/shell.ts";
import { must } from "../holder.ts";

/** A cable with both ends in the machine: `name` as the driver finds it, its far end up, so that it has a carrier. */
export async function plug(shell: Shell, name: string, mac?: string): Promise<void> {
  await must(shell, [
    "ip",
    "link",
    "add",
    name,
    ...(mac === undefined ? [] : ["address", mac]),
    "type",
    "veth",
    "peer",
    "name",
    `${name}-far`,
  ]);
  await must(shell, ["ip", "link", "set", `${name}-far`, "addrgenmode", "none", "up"]);
}

/** A link with an address and a route that are somebody else's. */
export async function plugForeign(shell: Shell): Promise<void> {
  await plug(shell, "other");
  await must(shell, ["ip", "link", "set", "other", "up"]);
  await must(shell, ["ip", "-6", "addr", "add", "2001:db8:f::1/64", "dev", "other", "nodad"]);
  await must(shell, ["ip", "-6", "route", "add", "2001:db8:f:1::/64", "via", "2001:db8:f::2", "dev", "other"]);
}

/** What is on that link, as text. */
export async function foreignOn(shell: Shell): Promise<string> {
  const addresses = await must(shell, ["ip", "-6", "addr", "show", "dev", "other", "scope", "global"]);
  return addresses + (await must(shell, ["ip", "-6", "route", "show", "dev", "other"]));
}
