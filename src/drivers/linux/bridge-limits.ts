import type { Diagnostic } from "../../base/diagnostic.ts";
import type { HypervisorDesired } from "../../desired/desired.ts";
import { linkNamePattern } from "./guest-limits.ts";

/** What /etc/network/interfaces and a machine with one default route can't be. */
export function auditBridges(desired: HypervisorDesired): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const say = (text: string, fix: string): void =>
    void found.push({ code: "E434", severity: "error", at: String(desired.device), text, fix });
  const names = desired.bridges.map(({ name }) => name);
  const ports = desired.bridges.flatMap(({ port }) => (port === undefined ? [] : [port]));
  for (const name of [...names, ...ports]) {
    if (!linkNamePattern.test(name))
      say(
        `${JSON.stringify(name)} can't be the name of an interface`,
        "1 to 15 letters, digits, dots, dashes and underscores",
      );
  }
  for (const name of twice([...names, ...ports]))
    say(`"${name}" is there twice`, "a port is in one bridge, and no bridge in another");
  const gateways = desired.bridges.filter(({ gateway4 }) => gateway4 !== undefined);
  if (gateways.length > 1)
    say(
      `Default routes over ${gateways.map(({ name }) => name).join(" and ")}`,
      "one bridge of a hypervisor has a `gateway4`",
    );
  for (const { name, address4 } of gateways) {
    if (address4 === undefined)
      say(`"${name}" has a gateway but no address`, "give the bridge its `ipv4`, or take the gateway away");
  }
  return found;
}

function twice(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.filter((name, place) => names.indexOf(name) !== place));
}
