import type { DeviceName, HostName, NetworkName } from "../base/name.ts";
import type { Address } from "../net/address.ts";
import type { Address4, InterfaceAddress4, Prefix4 } from "../net/ipv4.ts";
import type { Mac } from "../net/mac.ts";
import type { PortRange } from "../net/port.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Transport } from "../net/transport.ts";
import type { Service } from "../openings/opening.ts";
import type { OpeningPolicy } from "../openings/policy.ts";

/** What the operator wrote, after schema and cross-checks: what is wanted, never how a device spells it. */
export type Fleet = {
  readonly name: string;
  /**
   * What the provider delegates. Everything below lies in it. With a `delegation` that has no `from` it is `::/length`,
   * and every address made of it is an offset that no device may get.
   */
  readonly prefix: Prefix;
  /** Only there when the provider may change the prefix. */
  readonly delegation?: Delegation;
  readonly provider: Provider;
  readonly plan: PlanRules;
  readonly networks: ReadonlyMap<NetworkName, SiteNetwork>;
  readonly hypervisors: ReadonlyMap<DeviceName, Hypervisor>;
  readonly gateway: Gateway;
  readonly hosts: ReadonlyMap<HostName, Host>;
  readonly groups: ReadonlyMap<string, readonly Prefix[]>;
  readonly policy: Policy;
  readonly openings: readonly StaticOpening[];
  /** What every plan has to hold. */
  readonly tests: readonly FleetTest[];
  /** Absent: nothing listens on the gateway, and nothing is opened by labels. */
  readonly controller?: Controller;
};

/** A prefix that changes (DHCPv6, RFC 8415 §6.3): only its length, in bits, is fixed. */
export type Delegation = {
  readonly length: number;
  /** Absolute path of the file that holds the prefix in force. */
  readonly file?: string;
  /** Where the prefix in force was read: `--prefix` or a path. Undefined when none is known. */
  readonly from?: string;
};

/** How the prefix reaches us. `routed`: to the gateway's EUI-64 link-local or address; `on-link`: by NDP, proxied. */
export type Provider = {
  readonly name: string;
  readonly delivery: "routed" | "on-link";
  /** The provider's router, normally fe80::1. May lie outside every prefix of ours. */
  readonly nextHop: Address;
  /** Its web service. Absent: it is never asked. */
  readonly api?: Api;
};

/** Lengths in bits. /64: 76 per host, 80 per link and network. */
export type PlanRules = {
  readonly host: number;
  readonly link: number;
  readonly network: number;
  /** `block`: one route per host, to its block; `network`: one per container network, as the article has it. */
  readonly routes: "block" | "network";
  /** `per-host`: the gateway has an address on each host's link. `compact`: one in all, and link-local next hops. */
  readonly layout: "per-host" | "compact";
};

/** A layer-2 network of the site. Exactly one carries the uplink, one the hosts' public addresses (no ipv4 or both). */
export type SiteNetwork = {
  readonly role: "uplink" | "hosts" | "management";
  readonly ipv4?: Prefix4;
};

export type Hypervisor = {
  readonly kind: "proxmox" | "ifupdown";
  readonly reach: Reach;
  /** Only with proxmox, in place of `reach`. */
  readonly api?: Api;
  /** What ssh takes: for what the API lacks. */
  readonly exec?: string;
  /** Its name in its Proxmox cluster. */
  readonly node: string;
  /** By the machine that runs in them. */
  readonly vms: ReadonlyMap<string, Vm>;
  readonly bridges: ReadonlyMap<string, Bridge>;
};

export type Vm = {
  /** Proxmox's number, 100 and more. */
  readonly id: number;
  /** net0 first; absent: in the order of the bridges' names. */
  readonly nics?: readonly SiteNetwork["role"][];
  /** The template's number. */
  readonly clone?: number;
  readonly storage?: string;
  readonly cloudInit: boolean;
  /** Absolute path of a file with public keys. */
  readonly sshKeys?: string;
  readonly antiSpoofing: boolean;
};

export type Bridge = {
  readonly network: NetworkName;
  /** The physical port; none on a bridge that only VMs share. */
  readonly port?: string;
  readonly ipv4?: InterfaceAddress4;
  readonly gateway4?: Address4;
  readonly comment?: string;
};

/** How sixgate gets at a device. */
export type Reach =
  | { readonly kind: "local" }
  | { readonly kind: "ssh"; readonly target: string }
  /** Only rendered; nothing is sent. */
  | { readonly kind: "none" };

/** Where a secret is; the fleet file never has it. `credential`: of systemd, in $CREDENTIALS_DIRECTORY. */
export type SecretSource =
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "credential"; readonly name: string }
  | { readonly kind: "file"; readonly path: string };

/** How a device with an API is reached. */
export type Api = {
  /** An origin: scheme, name or address, port. */
  readonly url: string;
  readonly key: SecretSource;
  readonly secret?: SecretSource;
  /** `fingerprint`: SHA-256 in 64 hex digits, upper case. `ca`: path of a PEM file. */
  readonly tls:
    | { readonly kind: "system" }
    | { readonly kind: "fingerprint"; readonly sha256: string }
    | { readonly kind: "ca"; readonly path: string };
};

export type GuestNetwork = "networkd" | "netplan" | "ifupdown";

export type Gateway = {
  readonly name: DeviceName;
  readonly kind: "nftables" | "pfsense" | "opnsense";
  readonly on?: DeviceName;
  readonly reach: Reach;
  /** Only with pfsense and opnsense, which are reached so and by `exec`, never by `reach`. */
  readonly api?: Api;
  /** What ssh takes: for what the API lacks. */
  readonly exec?: string;
  readonly network: GuestNetwork;
  readonly uplink: Nic;
  readonly hosts: Nic;
  readonly management?: Nic;
  /** Where people and the controller may log in from, on the management NIC's side. */
  readonly admins: readonly (Prefix | Prefix4)[];
};

export type Nic = {
  readonly network: NetworkName;
  /** The kernel's name inside the machine. */
  readonly device: string;
  readonly mac: Mac;
  /** True when the fleet file names it; false when it was derived from fleet and device name. */
  readonly macGiven: boolean;
  readonly ipv4?: InterfaceAddress4;
  readonly gateway4?: Address4;
};

export type Host = {
  readonly name: HostName;
  readonly on?: DeviceName;
  readonly reach: Reach;
  /** Pinned in the file; otherwise the ledger gives one. Decimal; 0 and 1 are taken. */
  readonly slot?: number;
  readonly network: GuestNetwork;
  readonly public: Nic;
  readonly management?: Nic;
  readonly docker: Docker;
};

/**
 * P1 gateway-only (the article: default bridge, ip6tables off), P2 routed (user networks routed, the host's own
 * door open towards the gateway only), P3 two-gates (routed, and each port published too).
 */
export type DockerProfile = "gateway-only" | "routed" | "two-gates";

export type Docker = {
  /** Major.minor of the engine, for example 20.10, 26.1, 28.5. Decides what daemon.json may say. */
  readonly engine: { readonly major: number; readonly minor: number };
  readonly profile: DockerProfile;
  readonly networks: ReadonlyMap<NetworkName, DockerNetwork>;
  /** Containers with an address that was set beforehand (`--ip6`, Compose `ipv6_address`). */
  readonly containers: ReadonlyMap<string, ReservedContainer>;
};

export type DockerNetwork = { readonly internal: boolean; readonly index?: number };

/** `suffix` is the address as an offset in the network: `::80` → 0x80n. Only on user networks (Docker refuses elsewhere). */
export type ReservedContainer = { readonly network: NetworkName; readonly suffix: bigint };

export type Policy = {
  readonly betweenHosts: "open" | "closed";
  readonly egress: "open" | "closed";
  /** What may be opened by labels and people. */
  readonly openings: OpeningPolicy;
};

/**
 * Where the controller listens. On an nftables gateway it runs itself: on the management network or, without one, on the
 * hosts' link. Beside another kind it is on a machine of the management network.
 */
export type Controller = {
  /** Of the machine beside the gateway. */
  readonly address?: Address4;
  /** TCP ports: the agents', and the API's and page's. */
  readonly agentPort: number;
  readonly apiPort: number;
};

/** One entry of `openings:`; a label asks for the same thing later. */
export type StaticOpening = {
  readonly to:
    | { readonly kind: "container"; readonly host: HostName; readonly container: string }
    | { readonly kind: "address"; readonly address: Address };
  readonly services: readonly (
    | { readonly kind: "ports"; readonly transport: Transport; readonly ports: PortRange }
    | { readonly kind: "ping" }
  )[];
  readonly from: readonly Prefix[];
  /** `fleet.yaml:40:5 openings[0]`, for messages. */
  readonly at: string;
};

/** One entry of `tests:`: what has to be open, and closed, from one place to another. */
export type FleetTest = {
  readonly from:
    | { readonly kind: "internet" | "management" }
    | { readonly kind: "group"; readonly group: string }
    | { readonly kind: "host"; readonly host: HostName; readonly container?: string };
  readonly to: StaticOpening["to"];
  readonly open: readonly Service[];
  /** `all`: everything but what is in `open`. */
  readonly closed: "all" | readonly Service[];
  /** `fleet.yaml:60:5 tests[0]`, for messages. */
  readonly at: string;
};
