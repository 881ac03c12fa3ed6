import type { DeviceName, HostName } from "../src/base/name.ts";
import type { GatewayDesired } from "../src/desired/desired.ts";
import { address } from "../src/net/address.ts";
import { mac } from "../src/net/mac.ts";
import { prefix } from "../src/net/prefix.ts";
import type { Service } from "../src/openings/opening.ts";
import { closedPolicy } from "../src/openings/policy.ts";

// A gateway of 2001:db8:1:2::/64, host by host, for tests of one driver that need no whole fleet.

export function tcp(first: number, last: number = first): Service {
  return { kind: "ports", transport: "tcp", ports: { first, last } };
}

export function udp(first: number, last: number = first): Service {
  return { kind: "ports", transport: "udp", ports: { first, last } };
}

/** The host at a slot of one decimal digit, with the MAC address 02:00:00:00:00:0`slot`. */
export function hostAt(name: string, slot: number): GatewayDesired["hosts"][number] {
  const at = `2001:db8:1:2:${slot}0`;
  return {
    host: name as HostName,
    block: prefix(`${at}::/76`),
    link: prefix(`${at}::/80`),
    address: address(`${at}::2`),
    mac: mac(`02:00:00:00:00:0${slot}`),
  };
}

/** An nftables gateway with one host, vm1, on which nothing is open. */
export function gatewayState(over: Partial<GatewayDesired> = {}): GatewayDesired {
  return {
    layer: "gateway",
    device: "gate" as DeviceName,
    driver: "nftables",
    delegated: prefix("2001:db8:1:2::/64"),
    hostLength: 76,
    uplink: "wan",
    inside: "lan",
    own: [],
    hosts: [hostAt("vm1", 2)],
    policy: { betweenHosts: "closed", egress: "open", openings: closedPolicy },
    openings: [],
    bogons: [],
    ...over,
  };
}
