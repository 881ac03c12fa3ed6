import type { Diagnostic } from "../base/diagnostic.ts";
import { failed, ok, type Result } from "../base/result.ts";
import type { Fleet, Host, Hypervisor, Nic } from "../fleet/fleet.ts";
import { type Mac, macFor } from "../net/mac.ts";

/** One cable: a veth pair with an end in each node. */
export type Wire = { readonly a: End; readonly b: End };
export type End = { readonly node: string; readonly link: string; readonly mac?: Mac };

/** A machine's plug in a bridge of the hypervisor. Ports of hosts are isolated: they talk to the gateway, not to each other. */
export type BridgePort = { readonly bridge: string; readonly port: string; readonly isolated: boolean };

export type Topology = {
  readonly internet: string;
  readonly provider: string;
  readonly hypervisor: string;
  readonly gateway: string;
  readonly hosts: readonly string[];
  readonly wires: readonly Wire[];
  readonly ports: readonly BridgePort[];
};

export const internetNode = "internet";
export const providerNode = "provider";
/** The provider's end of the cable to the hypervisor, and of the one to the Internet. */
export const providerDown = "down0";
export const providerUp = "up0";
export const internetLink = "eth0";

/** A lab is one machine: more hosts than this take its memory rather than show anything. */
const mostHosts = 16;

function problem(code: "E710" | "E711" | "E712" | "E713", text: string, fix: string): Diagnostic {
  return { code, severity: "error", at: "lab", text, fix };
}

function checks(fleet: Fleet): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const names = [fleet.gateway.name, ...fleet.hypervisors.keys(), ...fleet.hosts.keys()].map(String);
  const taken = names.filter((name) => name === internetNode || name === providerNode);
  for (const name of taken)
    found.push(problem("E710", `"${name}" is a node of the lab itself`, "give the device another name for the lab"));
  if (fleet.hypervisors.size !== 1) {
    found.push(
      problem(
        "E711",
        `The lab needs one hypervisor, the fleet has ${fleet.hypervisors.size}`,
        "take examples/lab.yaml as a start",
      ),
    );
  }
  if (fleet.hosts.size > mostHosts) {
    found.push(
      problem(
        "E712",
        `${fleet.hosts.size} hosts are too many for one machine`,
        `leave at most ${mostHosts} in the lab's fleet file`,
      ),
    );
  }
  if (fleet.gateway.kind !== "nftables") {
    found.push(
      problem(
        "E713",
        `A ${fleet.gateway.kind} gateway can't run in a namespace`,
        "set gateway.kind: nftables for the lab",
      ),
    );
  }
  return found;
}

/** The article's network as cables between nodes: Internet, provider, hypervisor with its bridges, gateway, hosts. */
export function topologyOf(fleet: Fleet): Result<Topology> {
  const found = checks(fleet);
  const [hypervisor] = fleet.hypervisors;
  if (found.length > 0 || hypervisor === undefined) return failed(found);
  const [name, { bridges }] = hypervisor;
  const wires: Wire[] = [
    { a: { node: internetNode, link: internetLink }, b: { node: providerNode, link: providerUp } },
  ];
  for (const bridge of bridges.values()) {
    if (bridge.port !== undefined)
      wires.push({ a: { node: providerNode, link: providerDown }, b: { node: name, link: bridge.port } });
  }
  const ports: BridgePort[] = [];
  const plug = (machine: string, number: number, nics: readonly (Nic | undefined)[], isHost: boolean): void => {
    for (const [at, nic] of nics.filter((each) => each !== undefined).entries()) {
      const bridge = bridgeOf(bridges, nic);
      if (bridge === undefined) continue;
      const port = `tap${100 + number}i${at}`;
      // The tap's own MAC sits on the hypervisor's side and must not be the NIC's.
      wires.push({
        a: { node: machine, link: nic.device, mac: nic.mac },
        b: { node: name, link: port, mac: macFor(`lab/${port}`) },
      });
      ports.push({ bridge, port, isolated: isHost && nic.network === fleet.gateway.hosts.network });
    }
  };
  const { gateway } = fleet;
  plug(gateway.name, 0, [gateway.uplink, gateway.management, gateway.hosts], false);
  const hosts = [...fleet.hosts.values()];
  for (const [at, host] of hosts.entries()) plug(host.name, at + 1, nicsOf(host), true);
  return ok({
    internet: internetNode,
    provider: providerNode,
    hypervisor: name,
    gateway: gateway.name,
    hosts: hosts.map((host) => host.name),
    wires,
    ports,
  });
}

function nicsOf(host: Host): readonly (Nic | undefined)[] {
  return [host.management, host.public];
}

function bridgeOf(bridges: Hypervisor["bridges"], nic: Nic): string | undefined {
  for (const [name, bridge] of bridges) if (bridge.network === nic.network) return name;
  return undefined;
}

/** Every node's name, the order in which they are started and shown. */
export function nodeNames(topology: Topology): readonly string[] {
  return [topology.internet, topology.provider, topology.hypervisor, topology.gateway, ...topology.hosts];
}
