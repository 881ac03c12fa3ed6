import { z } from "zod";
import { wrong } from "../base/wrong.ts";
import type { Address } from "../net/address.ts";
import { apiEntry, execField } from "./api-entry.ts";
import { type Field, field, nameKey, notText, reference, shortOrLong } from "./field.ts";
import {
  address4Field,
  adminField,
  deviceField,
  engineField,
  interfaceAddress4Field,
  lengthField,
  macField,
  pathField,
  prefix4Field,
  prefixField,
  reachField,
  readAddress,
  slotField,
  sourceField,
  suffixField,
} from "./field-kinds.ts";
import { hypervisorEntry } from "./hypervisor-entry.ts";
import { openingEntry } from "./opening-schema.ts";
import { controllerEntry, policyEntry } from "./policy-schema.ts";
import { testEntry } from "./test-schema.ts";

// The fleet file as it is written. Strict: an unknown key is an error. What the keys mean stands in `describe`,
// which `explain` and the editors show. Defaults that depend on other keys are filled in by `resolve.ts`.

/** The version of the file's format, its first line: `sixgate: 1`. */
export const formatVersion = 1;

const nextHop: Field<Address> = field(
  (found) => {
    if (Array.isArray(found))
      return wrong("E208", "More than one next hop", "name the one router that the provider gives");
    return typeof found === "string" ? readAddress(found) : notText(found);
  },
  { type: "string", pattern: "^[0-9A-Fa-f:.]+$" },
);

const delegatedPrefix = z.strictObject({
  delegated: lengthField.describe(
    "Length of a prefix that the provider may change, for example /56. The fleet is numbered in offsets; the prefix in force comes from file or --prefix.",
  ),
  file: pathField
    .optional()
    .describe(
      "Absolute path of a file with the prefix in force on one line, which the DHCPv6 client's hook writes. Read anew by each verb. Default: none, the prefix is given with --prefix.",
    ),
});

const provider = z.strictObject({
  name: reference.optional().describe("Name of the provider, for people. Default: none."),
  delivery: z
    .enum(["routed", "on-link"])
    .describe(
      "How the prefix arrives. routed: to the gateway's link-local or address. on-link: by neighbour discovery, so the gateway answers for each container (NDP proxy).",
    ),
  "next-hop": nextHop
    .optional()
    .describe("The provider's router. Default with routed delivery: fe80::1. Has to be given with on-link delivery."),
  api: apiEntry
    .optional()
    .describe(
      "Hetzner's Robot web service, with name: hetzner; key and secret are its user and password. It says and sets the MAC that the prefix is routed to. Default: none, the provider is never asked.",
    ),
});

const plan = z.strictObject({
  host: lengthField
    .optional()
    .describe("Length of each host's block. Default: /76 in a prefix of /61 to /72, /64 in a shorter one."),
  link: lengthField
    .optional()
    .describe(
      "Length of the prefix on the wire, the first of the block. Default: /80. The same as host: the article's other reading, which needs routes: network.",
    ),
  network: lengthField.optional().describe("Length of each container network. Default: /80."),
  routes: z
    .enum(["block", "network"])
    .optional()
    .describe(
      "Routes on the gateway. block: one per host, to its whole block. network: one per container network, as in the article. Default: block.",
    ),
  layout: z
    .enum(["per-host", "compact"])
    .optional()
    .describe(
      "How gateway and hosts reach each other. per-host: the gateway has an address on each host's link, as in the article. compact: one address, and next hops that are link-local, made from the MAC addresses; for pfSense with more than 100 hosts. No other address changes. Default: per-host.",
    ),
});

const siteNetwork = z.strictObject({
  role: z
    .enum(["uplink", "hosts", "management"])
    .describe(
      "uplink: to the provider. hosts: where the hosts' public addresses are. management: IPv4 only, for people. One uplink and one hosts in a fleet.",
    ),
  ipv4: prefix4Field.optional().describe("The IPv4 prefix in use on it. Default: none."),
});

const uplinkNic = {
  network: reference.optional().describe("The network it is on. Default: the one with the role that fits."),
  device: deviceField.describe("The kernel's name inside the machine."),
  mac: macField
    .optional()
    .describe(
      "Its MAC address. Derived from the names when a hypervisor of the fleet makes the NIC; has to be given otherwise, and always on a bridge with a physical port of the uplink.",
    ),
};

const nic = z.strictObject({
  ...uplinkNic,
  ipv4: interfaceAddress4Field.optional().describe("Its IPv4 address, with length. Default: none."),
  gateway: address4Field.optional().describe("IPv4 default gateway of the machine. At most one per machine."),
});

const publicNic = z.strictObject(uplinkNic);

const guestNetwork = z
  .enum(["networkd", "netplan", "ifupdown"])
  .default("networkd")
  .describe(
    "What configures the machine's own links: networkd (systemd-networkd), netplan or ifupdown. Default: networkd.",
  );

const gateway = z.strictObject({
  name: reference.default("fw").describe("Its name. Default: fw."),
  kind: z.enum(["nftables", "pfsense", "opnsense"]).describe("The firewall outside the hosts. nftables: any Linux."),
  on: reference
    .optional()
    .describe("The hypervisor that it runs on, a key of hypervisors. Default: none, a machine of its own."),
  reach: reachField
    .default({ kind: "none" })
    .describe("How sixgate gets at it: none, local, or ssh:user@host. Default: none.")
    .meta({ default: "none" }),
  api: apiEntry
    .optional()
    .describe("How the API of pfSense or OPNsense is reached. Default: none, files are only rendered."),
  exec: execField
    .optional()
    .describe(
      "A root shell on pfSense or OPNsense, ssh:user@host: for the dead-man, for openings by labels and for what the API lacks. Default: none.",
    ),
  network: guestNetwork,
  uplink: nic.describe("The interface to the provider."),
  hosts: publicNic.describe("The interface to the hosts."),
  management: nic.optional().describe("The interface to the management network. Default: none."),
  admins: z
    .array(adminField)
    .default([])
    .describe("Who may log in on the management interface: IPv4 or IPv6 prefixes. Default: nobody."),
});

const dockerNetwork = z.strictObject({
  internal: z.boolean().default(false).describe("No way in or out of this network. Default: false."),
  index: z
    .int()
    .min(2)
    .max(65_535)
    .optional()
    .describe(
      "Its number in the host's block: 2 is 22::/80 in block 20::/76. Default: the ledger gives one, for ever.",
    ),
});

const container = z.strictObject({
  network: reference.describe(
    "The user network it is on, a key of networks beside. Docker refuses set addresses on its default bridge.",
  ),
  address: suffixField.describe('The part of its address behind the network, for example "::80".'),
});

const containerKey = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/);

const docker = z.strictObject({
  engine: engineField.describe(
    'The engine\'s version in quotes, "20.10" or "28.5". It decides what daemon.json may say.',
  ),
  profile: z
    .enum(["gateway-only", "routed", "two-gates"])
    .optional()
    .describe(
      "gateway-only: the article's way, the gateway alone decides; every engine. routed: user networks are routed, the host's own filter stays; engine 27 and later. two-gates: routed, and each port published too. Default: routed from engine 27 on, else gateway-only.",
    ),
  networks: z
    .record(nameKey, dockerNetwork)
    .default({})
    .describe("Container networks beside Docker's default bridge. At most 14 in a /76."),
  containers: z
    .record(containerKey, container)
    .default({})
    .describe("Containers whose address is set beforehand (--ip6, Compose ipv6_address)."),
});

const host = z.strictObject({
  on: reference.optional().describe("The hypervisor that it runs on. Default: none, a machine of its own."),
  slot: slotField
    .optional()
    .describe(
      "Its number, decimal, 2 or more: slot 2 is block 20::/76 of a /64. Default: the lowest free one, kept in the ledger for ever.",
    ),
  network: guestNetwork,
  reach: reachField
    .default({ kind: "none" })
    .describe("How sixgate gets at it: none, local, or ssh:user@host. Default: none.")
    .meta({ default: "none" }),
  public: publicNic.describe("The interface to the gateway."),
  management: nic.optional().describe("The interface to the management network. Default: none."),
  docker: docker.describe("Its Docker engine."),
});

export const fleetSchema = z.strictObject({
  sixgate: z.literal(formatVersion).describe("Version of this format: 1."),
  fleet: reference.describe("Name of the fleet. MAC addresses are derived from it, so it stays."),
  prefix: shortOrLong(prefixField, delegatedPrefix).describe(
    "The IPv6 prefix that the provider delegates, for example 2001:db8:1234:321d::/64. A map for one that changes: { delegated: /56 }.",
  ),
  provider: provider
    .default({ delivery: "routed" })
    .describe("How the prefix arrives. Default: routed, next hop fe80::1."),
  plan: plan.default({}).describe("How the prefix is divided. The defaults fit a /64, a /56 and a /48."),
  networks: z
    .record(nameKey, siteNetwork)
    .default({ wan: { role: "uplink" }, lan: { role: "hosts" } })
    .describe("The site's layer-2 networks. Default: wan (uplink) and lan (hosts)."),
  hypervisors: z
    .record(nameKey, hypervisorEntry)
    .default({})
    .describe("Machines whose bridges carry the networks. Default: none."),
  gateway: gateway.describe("The firewall outside the hosts: every packet to a container passes it."),
  hosts: z.record(nameKey, host).describe("Machines that run containers."),
  groups: z
    .record(nameKey, z.array(sourceField))
    .default({})
    .describe("Named sources for openings: IPv6 prefixes or addresses."),
  policy: policyEntry
    .prefault({})
    .describe(
      "What holds without an opening, and what may be opened. Default: closed between hosts, open outwards, nothing may be opened by labels or people.",
    ),
  openings: z.array(openingEntry).default([]).describe("What is open from outside. Default: nothing."),
  tests: z
    .array(testEntry)
    .default([])
    .describe(
      "What has to hold: every plan asks the rules that it would make, and a test that fails stops apply. Default: nothing.",
    ),
  controller: controllerEntry
    .optional()
    .describe(
      "Where the controller listens that keeps openings in step with the containers, on the management network or, without one, on the hosts' link. Default: none, and nothing is opened by labels or people.",
    ),
});

/** The file after the schema: each value canonical, nothing compared with anything else yet. */
export type FleetFile = z.output<typeof fleetSchema>;
