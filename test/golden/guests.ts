import type { DeviceName } from "../../src/base/name.ts";
import type { GuestDesired } from "../../src/desired/desired.ts";
import { address } from "../../src/net/address.ts";
import { interfaceAddress } from "../../src/net/interface-address.ts";
import { address4, interfaceAddress4, prefix4 } from "../../src/net/ipv4.ts";
import { mac } from "../../src/net/mac.ts";
import { prefix } from "../../src/net/prefix.ts";

type Guest = Omit<GuestDesired, "driver">;

const forwarding = { key: "net.ipv6.conf.all.forwarding", value: "1", why: "containers are behind this machine" };

/** A host of the article: public link with one route, management link with NAT'ed IPv4. */
const host: Guest = {
  layer: "guest",
  device: "vm1" as DeviceName,
  links: [
    {
      name: "eth1",
      mac: mac("02:00:00:00:20:02"),
      addresses: [interfaceAddress(address("2001:db8:1:2:20::2"), 80)],
      addresses4: [],
      proxies: [],
      purpose: "public link of vm1",
    },
    {
      name: "eth0",
      addresses: [],
      addresses4: [interfaceAddress4("10.10.10.11/24")],
      proxies: [],
      purpose: "management",
    },
  ],
  routes: [
    { kind: "unicast", to: prefix("::/0"), via: address("2001:db8:1:2:20::1"), device: "eth1", onlink: false },
    { kind: "unreachable", to: prefix("2001:db8:1:2:20::/76") },
    { kind: "unicast4", to: prefix4("0.0.0.0/0"), via: address4("10.10.10.1"), device: "eth0", onlink: false },
  ],
  sysctls: [forwarding],
};

/** The gateway: the provider's router outside every prefix, a link per host, the aggregate's end. */
const gateway: Guest = {
  layer: "guest",
  device: "fw" as DeviceName,
  links: [
    {
      name: "wan",
      mac: mac("02:00:00:00:00:01"),
      addresses: [interfaceAddress(address("2001:db8:1:2:10::1"), 128)],
      addresses4: [interfaceAddress4("192.0.2.163/32")],
      proxies: [],
      purpose: "uplink",
    },
    {
      name: "wan6",
      addresses: ["2001:db8:1:2:20::1", "2001:db8:1:2:30::1"].map((text) => interfaceAddress(address(text), 80)),
      addresses4: [],
      proxies: [],
      purpose: "hosts",
    },
  ],
  routes: [
    { kind: "unicast", to: prefix("::/0"), via: address("fe80::1"), device: "wan", onlink: true },
    {
      kind: "unicast",
      to: prefix("2001:db8:1:2:20::/76"),
      via: address("2001:db8:1:2:20::2"),
      device: "wan6",
      onlink: false,
    },
    {
      kind: "unicast",
      to: prefix("2001:db8:1:2:30::/76"),
      via: address("2001:db8:1:2:30::2"),
      device: "wan6",
      onlink: false,
    },
    { kind: "unreachable", to: prefix("2001:db8:1:2::/64") },
    { kind: "unicast4", to: prefix4("0.0.0.0/0"), via: address4("192.0.2.129"), device: "wan", onlink: true },
  ],
  sysctls: [
    forwarding,
    { key: "net.ipv6.neigh.wan.proxy_delay", value: "0", why: "answer for proxied addresses at once" },
  ],
};

/** A provider that does not route: each address in use is answered for on the uplink. */
const onLink: Guest = {
  ...gateway,
  device: "vps" as DeviceName,
  links: gateway.links.map((link) =>
    link.name === "wan" ? { ...link, proxies: [address("2001:db8:1:2:20::2"), address("2001:db8:1:2:21::80")] } : link,
  ),
};

/** The cases that every tool for a machine's network is judged by. */
export function guests(driver: GuestDesired["driver"]): ReadonlyMap<string, GuestDesired> {
  return new Map([
    ["host", { ...host, driver }],
    ["gateway", { ...gateway, driver }],
    ["on-link", { ...onLink, driver }],
  ]);
}
