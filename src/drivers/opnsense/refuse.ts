import { Failure } from "../../base/failure.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { networkOf, tunables } from "../pf/items.ts";
import { isMarked } from "../pf/names.ts";
import { type Target, textField } from "../pf/target.ts";
import { isDefaultHop } from "./observe.ts";
import { gatewayOn, interfaceOn, macOf, ownAddresses, type Reading } from "./reading.ts";

/**
 * Rejects before anything is written where OPNsense's API can't do it all: an interface's own settings have none in any
 * version (E562), other things in some (E561). `name` is the device's.
 */
export function refuseImpossible(name: string, reading: Reading, desired: GatewayDesired, target: Target): void {
  const byHand = networkOf(desired).links.flatMap((link) => [
    ...ofInterface(reading, link.name, target),
    ...(link.addresses4.length > 0 ? ofFour(reading, link.name, target) : []),
  ]);
  if (byHand.length > 0)
    throw new Failure(
      "E562",
      name,
      `OPNsense has no API for an interface's own settings: ${byHand.join("; ")}`,
      "set them in Interfaces, or begin with `sixgate render opnsense --into config.xml`; then plan again",
    );
  refuseGateways(name, reading, target);
  const { version, icmp6Types, tunables: canTune } = reading.abilities;
  const echo = target.all("rule").find(([, value]) => textField(value, "match") === "echo");
  if (!icmp6Types && echo !== undefined)
    throw new Failure(
      "E561",
      name,
      `OPNsense ${version} has no rules for echo requests alone, which "${echo[0]}" needs`,
      "update to 26.1 or later, or take ping out of the openings",
    );
  const untuned = Object.entries(tunables).filter(
    ([tunable, value]) =>
      target.value(`tunable ${tunable}`) === value &&
      !reading.tunables.some((row) => row.tunable === tunable && row.value === value),
  );
  if (!canTune && untuned.length > 0)
    throw new Failure(
      "E561",
      name,
      `OPNsense ${version} has no API for kernel settings: ${untuned.map((each) => each.join(" = ")).join(", ")}`,
      "set them in System > Settings > Tunables, or update to 25.1 or later",
    );
}

function ofInterface(reading: Reading, device: string, target: Target): readonly string[] {
  const row = interfaceOn(reading, device);
  if (row === undefined) return [`${device} is not assigned`];
  const label = `${device} (${row.identifier})`;
  const mac = target.value(`mac ${device}`);
  const { six } = ownAddresses(row);
  return [
    ...(row.enabled ? [] : [`${label} is not enabled`]),
    ...(typeof mac !== "string" || mac === macOf(row) ? [] : [`${label} has MAC ${macOf(row) ?? "none"}, not ${mac}`]),
    ...(six === undefined || target.has(`address ${device} ${six}`)
      ? []
      : [`${label} has IPv6 address ${six}, which the fleet does not`]),
  ];
}

function ofFour(reading: Reading, device: string, target: Target): readonly string[] {
  const row = interfaceOn(reading, device);
  if (row === undefined) return [];
  const wanted = target
    .all("address")
    .map(([rest]) => rest)
    .find((rest) => rest.startsWith(`${device} `) && !rest.includes(":"))
    ?.slice(device.length + 1);
  const { four } = ownAddresses(row);
  return wanted === undefined || wanted === four
    ? []
    : [`${device} (${row.identifier}) has IPv4 address ${four ?? "none"}, not ${wanted}`];
}

/** A default route needs a gateway that is marked for it, and somebody else's is theirs to mark. */
function refuseGateways(name: string, reading: Reading, target: Target): void {
  for (const [rest] of target.all("gateway")) {
    const [device = "", via = ""] = rest.split(" ");
    const there = gatewayOn(reading, device, via);
    if (there === undefined || there.upstream || isMarked(there.descr ?? "")) continue;
    if (!isDefaultHop(target, device, via)) continue;
    throw new Failure(
      "E555",
      name,
      `Gateway ${there.name} (${there.gateway}) is not ours and not marked as upstream, so the device does not take it for the default route`,
      "set Upstream Gateway on it in System > Gateways > Configuration, or remove it",
    );
  }
}
