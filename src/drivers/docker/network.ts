import type { DeviceName } from "../../base/name.ts";
import type { EngineDesired, EngineNetwork } from "../../desired/desired.ts";
import { bridgeNameOption, gatewayModeOption, isRouted } from "./profile.ts";

/** Marks what is ours; the value is the fleet's name of the host, so a host moved between fleets shows. */
export const ownerLabel = "sixgate.owner";

/** A Docker network as sixgate means it; also the value of its item. */
export type NetworkShape = {
  readonly subnet: string;
  readonly gateway: string;
  readonly bridge: string;
  readonly internal: boolean;
  /** `nat` is Docker's own default; it filters nothing where `ip6tables` is off. */
  readonly mode: "routed" | "nat";
  readonly owner: string;
};

/** IFNAMSIZ less the final zero. */
const longestLink = 15;
const lead = "sg-";

/** FNV-1a, 32 bits: short, stable, and no secret hangs on it. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0").slice(0, 4);
}

/** The bridge's interface name: `sg-web`; a name of more than 12 letters is cut and ends in 4 digits of its hash. */
export function bridgeName(network: string): string {
  const room = longestLink - lead.length;
  return lead + (network.length <= room ? network : `${network.slice(0, room - 5)}-${fingerprint(network)}`);
}

/** What Docker itself makes and names: never ours. */
export const builtInNetworks: readonly string[] = ["bridge", "host", "none"];

/** The plan's networks without the default bridge, which daemon.json describes. */
export function userNetworks(desired: EngineDesired): readonly EngineNetwork[] {
  return desired.networks.filter((network) => network.name !== "default");
}

export function shapeOf(desired: EngineDesired, network: EngineNetwork): NetworkShape {
  return {
    subnet: network.prefix,
    gateway: network.gateway,
    bridge: bridgeName(network.name),
    internal: network.internal,
    mode: isRouted(desired) ? "routed" : "nat",
    owner: desired.device,
  };
}

/** Arguments after `docker`. IPv4 comes from Docker's own pools. */
export function createArguments(name: string, shape: NetworkShape): readonly string[] {
  const place = ["--subnet", shape.subnet, "--gateway", shape.gateway];
  const marks = ["--label", `${ownerLabel}=${shape.owner}`, "--opt", `${bridgeNameOption}=${shape.bridge}`];
  const mode = shape.mode === "routed" ? ["--opt", `${gatewayModeOption}=routed`] : [];
  const internal = shape.internal ? ["--internal"] : [];
  return ["network", "create", "--driver", "bridge", "--ipv6", ...place, ...marks, ...mode, ...internal, "--", name];
}

export function isOwnedBy(labels: Readonly<Record<string, string>>, device: DeviceName): boolean {
  return labels[ownerLabel] === device;
}
