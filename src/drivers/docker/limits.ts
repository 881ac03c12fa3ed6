import type { Code } from "../../base/codes.ts";
import type { Diagnostic, Severity } from "../../base/diagnostic.ts";
import type { EngineDesired } from "../../desired/desired.ts";
import { contains, lengthOf } from "../../net/prefix.ts";
import { bridgeName, userNetworks } from "./network.ts";
import { firstRouted, isRouted, poolOf } from "./profile.ts";

type Say = (code: Code, severity: Severity, text: string, fix: string) => Diagnostic;

/** Oldest engine that was tried. */
const oldest = { major: 20, minor: 10 };
/** Up to 27 Docker derives addresses from the MAC and wants 48 bits for it (`bridge_linux.go`: "at least 48 host bits"). */
const lastMacDerived = 27;

function engineLimits(desired: EngineDesired, say: Say): readonly Diagnostic[] {
  const { major, minor } = desired.engine;
  const version = `${major}.${minor}`;
  if (major < oldest.major || (major === oldest.major && minor < oldest.minor)) {
    return [
      say("E440", "error", `Docker ${version} is older than 20.10`, "update the engine, or name the version it has"),
    ];
  }
  if (isRouted(desired) && major < firstRouted) {
    const text = `Docker ${version} takes gateway_mode_ipv6 and ignores it: every port of profile "${desired.profile}" would be reachable from the gateway`;
    return [say("E440", "error", text, "use profile: gateway-only, or Docker 27 or newer")];
  }
  return [];
}

function networkLimits(desired: EngineDesired, say: Say): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const bridges = new Map<string, string>();
  for (const network of desired.networks) {
    if (!contains(desired.block, network.prefix)) {
      found.push(
        say(
          "E442",
          "error",
          `Network "${network.name}" is ${network.prefix}, outside the block ${desired.block}`,
          "give it a free index",
        ),
      );
    }
    const length = lengthOf(network.prefix);
    if (desired.engine.major <= lastMacDerived && network.name === "default" && length > 80) {
      const text = `Docker ${desired.engine.major} needs 48 bits for the default bridge's addresses, ${network.prefix} has ${128 - length}`;
      found.push(say("E443", "error", text, "set plan.network: /80 or shorter"));
    }
  }
  for (const { name } of userNetworks(desired)) {
    const bridge = bridgeName(name);
    const other = bridges.get(bridge);
    if (other !== undefined) {
      found.push(
        say(
          "E441",
          "error",
          `Networks "${other}" and "${name}" would both have the bridge ${bridge}`,
          "rename one; the first 7 letters count most",
        ),
      );
    }
    bridges.set(bridge, name);
  }
  return found;
}

function warnings(desired: EngineDesired, say: Say): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  if (!isRouted(desired)) {
    for (const { name } of userNetworks(desired).filter((network) => network.internal)) {
      const text = `Network "${name}" is internal, but without Docker's IPv6 rules packets from other bridges of this host reach it`;
      found.push(
        say("W440", "warning", text, "use profile: routed (Docker 27 or newer), or give the network no openings"),
      );
    }
    return found;
  }
  if (desired.networks.some((network) => network.name === "default")) {
    const text = `Docker can't route its default bridge: with profile "${desired.profile}" its containers have no public address`;
    found.push(say("W441", "warning", text, "put containers on a network of their own, as Compose does"));
  }
  if (poolOf(desired) === undefined) {
    const text = `The block ${desired.block} is full: networks that Compose makes get private addresses (ULA)`;
    found.push(say("W442", "warning", text, "leave one network of the block unused"));
  }
  return found;
}

/** What this engine can't do with this fleet; all of it at once. */
export function audit(desired: EngineDesired): readonly Diagnostic[] {
  const say: Say = (code, severity, text, fix) => ({ code, severity, at: `${desired.device} docker`, text, fix });
  return [...engineLimits(desired, say), ...networkLimits(desired, say), ...warnings(desired, say)];
}
