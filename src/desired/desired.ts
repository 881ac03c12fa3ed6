import type { DeviceName, HostName, NetworkName } from "../base/name.ts";
import type { Docker, GuestNetwork, Policy } from "../fleet/fleet.ts";
import type { Address } from "../net/address.ts";
import type { Address4, InterfaceAddress4, Prefix4 } from "../net/ipv4.ts";
import type { Mac } from "../net/mac.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Opening } from "../openings/opening.ts";
import type { LinkDesired, RouteDesired, SysctlDesired } from "./network.ts";

/** What each layer of each device should be. One value per driver. */
export type Desired = ProviderDesired | HypervisorDesired | GuestDesired | GatewayDesired | EngineDesired;
export type Layer = Desired["layer"];

/** What the provider does with the prefix: routes it to one MAC's link-local address. Only where it may be asked. */
export type ProviderDesired = {
  readonly layer: "provider";
  readonly device: DeviceName;
  readonly driver: "hetzner";
  readonly prefix: Prefix;
  /** The gateway's, on its uplink. */
  readonly mac: Mac;
};

/** The hypervisor's bridges, /etc/network/interfaces, and, with an API, the NICs of its VMs. */
export type HypervisorDesired = {
  readonly layer: "hypervisor";
  readonly device: DeviceName;
  readonly driver: "ifupdown" | "proxmox";
  readonly bridges: readonly BridgeDesired[];
  /** Only with an API. */
  readonly cluster?: {
    /** The hypervisor's name in its cluster. */
    readonly node: string;
    /** There is a root shell on the node, for what the API lacks. */
    readonly shell: boolean;
    /** Sorted by number. */
    readonly vms: readonly VmDesired[];
  };
};

export type VmDesired = {
  /** Of the machine, and of the VM. */
  readonly name: string;
  readonly id: number;
  /** net0 first. */
  readonly nics: readonly VmNic[];
  readonly clone?: { readonly template: number; readonly storage?: string; readonly sshKeys?: string };
};

export type VmNic = {
  readonly bridge: string;
  readonly mac: Mac;
  /** Proxmox's `ipconfig`: `ip=10.10.10.11/24,gw=10.10.10.2`. Absent: not set by cloud-init. */
  readonly ipconfig?: string;
  /** The only sources that may leave the VM here. Absent: not filtered by the hypervisor. */
  readonly sources?: readonly Prefix[];
};

export type BridgeDesired = {
  readonly name: string;
  readonly port?: string;
  readonly address4?: InterfaceAddress4;
  readonly gateway4?: Address4;
  /** True where only VMs are attached to it or it leads to the Internet: no link-local, no RA, so VMs and neighbours can't reach the hypervisor. */
  readonly silent: boolean;
  readonly comment: string;
};

/** A machine's own network: links, routes, kernel settings. Hosts, and a Linux gateway. */
export type GuestDesired = {
  readonly layer: "guest";
  readonly device: DeviceName;
  readonly driver: GuestNetwork;
  readonly links: readonly LinkDesired[];
  readonly routes: readonly RouteDesired[];
  readonly sysctls: readonly SysctlDesired[];
};

/** The filter on the gateway. The device's own links and routes are its GuestDesired. */
export type GatewayDesired = {
  readonly layer: "gateway";
  readonly device: DeviceName;
  readonly driver: "nftables" | "pfsense" | "opnsense";
  readonly delegated: Prefix;
  /** Length of every host's block in bits; one mask for all, so that one hash look-up finds the host. */
  readonly hostLength: number;
  readonly uplink: string;
  /** The interface the hosts are on. */
  readonly inside: string;
  readonly management?: { readonly device: string; readonly admins: readonly (Prefix | Prefix4)[] };
  /** Own public addresses of the gateway itself: uplink ::1 and the hosts' next hops. */
  readonly own: readonly Address[];
  readonly hosts: readonly GatewayHost[];
  readonly policy: Policy;
  /** Sorted by address, service. */
  readonly openings: readonly Opening[];
  readonly nat4?: { readonly from: Prefix4; readonly inside: string; readonly uplink: string; readonly to: Address4 };
  /** Where agents and people reach the controller that runs on the gateway; absent: nothing listens. */
  readonly controller?: {
    /** The management interface, or the hosts' where there is none. */
    readonly device: string;
    readonly agentPort: number;
    /** Open to `management.admins` only; absent without a management interface. */
    readonly apiPort?: number;
    /** The hosts' own addresses on that interface. */
    readonly agents: readonly (Address | Address4)[];
  };
  /** Where the driver of the filter sets links and routes too, since the gateway is not Linux. */
  readonly network?: GatewayNetwork;
  /** Prefixes that no packet from outside may carry; the fleet's own documentation prefix taken out. */
  readonly bogons: readonly Prefix[];
};

/**
 * `links`: the uplink's and the hosts'. `management` is for whole configuration files only: no plan has it, so that it
 * can't be lost. `shell`: there is one, for what the device's API lacks.
 */
export type GatewayNetwork = {
  readonly links: readonly LinkDesired[];
  readonly management?: LinkDesired;
  readonly routes: readonly RouteDesired[];
  readonly shell: boolean;
};

export type GatewayHost = {
  readonly host: HostName;
  readonly block: Prefix;
  readonly link: Prefix;
  readonly address: Address;
  readonly mac: Mac;
};

/** A Docker engine: daemon.json, networks, and the host's own door. */
export type EngineDesired = {
  readonly layer: "engine";
  readonly device: DeviceName;
  readonly driver: "docker";
  readonly engine: Docker["engine"];
  readonly profile: Docker["profile"];
  /** The host's block and the interface that leads to the gateway. */
  readonly block: Prefix;
  readonly uplink: string;
  /** `default` (index 1) first. */
  readonly networks: readonly EngineNetwork[];
};

export type EngineNetwork = {
  readonly name: NetworkName;
  readonly prefix: Prefix;
  readonly gateway: Address;
  readonly internal: boolean;
};
