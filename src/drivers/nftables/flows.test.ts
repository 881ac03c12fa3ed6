import { expect, test } from "vitest";
import type { HostName } from "../../base/name.ts";
import type { Item } from "../../change/item.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { prefix } from "../../net/prefix.ts";
import { closedPolicy, type OpeningPolicy } from "../../openings/policy.ts";
import { admissionOf, answerOf, deletionOf, dynamicAdmissionOf, type LiveFlow, parseFlows } from "./flows.ts";

// As `conntrack -L -f ipv6` of conntrack-tools 1.4.7 prints them.
const listing = `udp      17 99 src=2001:db8::1 dst=2001:db8::2 sport=5 dport=3 [UNREPLIED] src=2001:db8::2 dst=2001:db8::1 sport=3 dport=5 mark=0 use=1
unknown  50 99 src=2001:db8::1 dst=2001:db8::2 [UNREPLIED] src=2001:db8::2 dst=2001:db8::1 mark=0 use=1
icmpv6   58 99 src=2001:db8::1 dst=2001:db8::2 type=128 code=0 id=77 [UNREPLIED] src=2001:db8::2 dst=2001:db8::1 type=129 code=0 id=77 mark=0 use=1
tcp      6 431999 ESTABLISHED src=2001:db8::1 dst=2001:db8::2 sport=1 dport=3 src=2001:db8::2 dst=2001:db8::1 sport=3 dport=1 [ASSURED] mark=0 use=1
`;

test("parseFlows reads every kind of line, and deletionOf names the same flow", () => {
  expect(parseFlows(listing).map(deletionOf)).toEqual([
    "-D -f ipv6 -p udp -s 2001:db8::1 -d 2001:db8::2 --sport 5 --dport 3",
    "-D -f ipv6 -p 50 -s 2001:db8::1 -d 2001:db8::2",
    "-D -f ipv6 -p icmpv6 -s 2001:db8::1 -d 2001:db8::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77",
    "-D -f ipv6 -p tcp -s 2001:db8::1 -d 2001:db8::2 --sport 1 --dport 3",
  ]);
});

test("parseFlows rejects a line that it does not understand", () => {
  expect(() => parseFlows("tcp 6 nonsense\n")).toThrow("Flow not understood");
});

const hosts: readonly Item[] = [
  { key: "element hosts 2001:db8:1:2:20::", value: "goto shard_vm1", lane: "structure" },
  { key: "element hosts 2001:db8:1:2:30::", value: "goto shard_vm_2", lane: "structure" },
];
const items: readonly Item[] = [
  ...hosts,
  { key: "element static_open 2001:db8:1:2:21::2 . tcp . 443", value: true, lane: "members" },
  { key: "element static_from 2001:db8:1:2:21::2 . udp . 8000-8099 . 2001:db8:ff::/48", value: true, lane: "members" },
  { key: "element static_from 2001:db8:1:2:21::2 . tcp . 22 . 2001:db8:fe::1", value: true, lane: "members" },
  { key: "element static_live 2001:db8:1:2:21::2", value: true, lane: "members" },
  { key: "element static_livefrom 2001:db8:1:2:31::2 . 2001:db8:ff::/48", value: true, lane: "members" },
];
const gone: Item = { key: "element hosts 2001:db8:1:2:40::", value: "goto shard_gone", lane: "structure" };

function flowIn(line: string): LiveFlow {
  const [flow] = parseFlows(line);
  if (flow === undefined) throw new Error("No flow");
  return flow;
}

function desiredWith(policy: GatewayDesired["policy"]): GatewayDesired {
  const hosts = [
    { host: "vm1", block: "2001:db8:1:2:20::/76" },
    { host: "vm-2", block: "2001:db8:1:2:30::/76" },
  ];
  return { hostLength: 76, policy, hosts, own: ["2001:db8:1:2:20::1"] } as unknown as GatewayDesired;
}

/** Undefined where only what labels and people opened could let it in. */
function admits(policy: GatewayDesired["policy"], line: string): boolean | undefined {
  return admissionOf(desiredWith(policy), [...items, gone], items)(flowIn(line));
}

const closed = { betweenHosts: "closed", egress: "closed", openings: closedPolicy } as const;
const open = { betweenHosts: "open", egress: "open", openings: closedPolicy } as const;

function flow(from: string, to: string, protocol: "tcp" | "udp" | "icmpv6", port = 0): string {
  const ports = protocol === "icmpv6" ? "type=128 code=0 id=7" : `sport=40000 dport=${port}`;
  return `${protocol} 6 99 src=${from} dst=${to} ${ports} src=${to} dst=${from} mark=0 use=1`;
}

test.each([
  ["opened to anyone", "2001:db8:77::1", "2001:db8:1:2:21::2", "tcp", 443, true],
  ["opened for another transport", "2001:db8:77::1", "2001:db8:1:2:21::2", "udp", 443, undefined],
  ["in a range, source named", "2001:db8:ff::9", "2001:db8:1:2:21::2", "udp", 8050, true],
  ["in a range, another source", "2001:db8:77::1", "2001:db8:1:2:21::2", "udp", 8050, undefined],
  ["beyond a range", "2001:db8:ff::9", "2001:db8:1:2:21::2", "udp", 8100, undefined],
  ["from one address", "2001:db8:fe::1", "2001:db8:1:2:21::2", "tcp", 22, true],
  ["echo to anyone", "2001:db8:77::1", "2001:db8:1:2:21::2", "icmpv6", 0, true],
  ["echo, another source", "2001:db8:77::1", "2001:db8:1:2:31::2", "icmpv6", 0, undefined],
  ["echo, source named", "2001:db8:ff::1", "2001:db8:1:2:31::2", "icmpv6", 0, true],
  ["from a host outwards", "2001:db8:1:2:21::2", "2001:db8:77::1", "tcp", 443, false],
  ["from host to host, closed port", "2001:db8:1:2:31::2", "2001:db8:1:2:21::2", "tcp", 80, undefined],
  ["from host to host, open port", "2001:db8:1:2:31::2", "2001:db8:1:2:21::2", "tcp", 443, true],
  ["to a host that is gone", "2001:db8:77::1", "2001:db8:1:2:41::2", "tcp", 443, false],
  ["to the gateway itself", "2001:db8:77::1", "2001:db8:1:2:20::1", "tcp", 22, true],
  ["of no host", "2001:db8:77::1", "2001:db8:1:2:10::5", "tcp", 22, true],
] as const)("admissionOf judges a flow %s under a closed policy", (_, from, to, protocol, port, expected) => {
  expect(admits(closed, flow(from, to, protocol, port))).toBe(expected);
});

test.each([
  ["from a host outwards", "2001:db8:1:2:21::2", "2001:db8:77::1", true],
  ["from host to host", "2001:db8:1:2:31::2", "2001:db8:1:2:21::2", true],
  ["from outside to a closed port", "2001:db8:77::1", "2001:db8:1:2:21::2", undefined],
  ["from a host that is gone", "2001:db8:1:2:41::2", "2001:db8:77::1", false],
] as const)("admissionOf judges a flow %s under an open policy", (_, from, to, expected) => {
  expect(admits(open, flow(from, to, "tcp", 80))).toBe(expected);
});

const under: OpeningPolicy = {
  ...closedPolicy,
  allow: [
    {
      id: "web",
      hosts: ["vm-2" as HostName],
      services: [{ kind: "ports", transport: "tcp", ports: { first: 1, last: 9000 } }, { kind: "ping" }],
      from: [prefix("2001:db8:77::/48")],
      by: ["labels"],
    },
  ],
  never: [{ kind: "ports", transport: "tcp", ports: { first: 22, last: 22 } }],
};
const elements: readonly Item[] = [
  ...[443, 22, 9001].map((port) => `open_03 2001:db8:1:2:31::2 . tcp . ${port}`),
  "open_03 2001:db8:1:2:31::2 . udp . 443",
  "live_03 2001:db8:1:2:31::2",
  "open_02 2001:db8:1:2:21::2 . tcp . 443",
].map((each) => ({ key: `element ${each}`, value: true, lane: "structure" }));

test.each([
  ["with an element that policy covers", "2001:db8:77::1", "2001:db8:1:2:31::2", "tcp", 443, true],
  ["echo that policy covers", "2001:db8:77::1", "2001:db8:1:2:31::2", "icmpv6", 0, true],
  ["without an element", "2001:db8:77::1", "2001:db8:1:2:31::2", "tcp", 444, false],
  ["from a source that policy has not", "2001:db8:78::1", "2001:db8:1:2:31::2", "tcp", 443, false],
  ["to a port that is never opened", "2001:db8:77::1", "2001:db8:1:2:31::2", "tcp", 22, false],
  ["to a port that policy has not", "2001:db8:77::1", "2001:db8:1:2:31::2", "tcp", 9001, false],
  ["over a transport that policy has not", "2001:db8:77::1", "2001:db8:1:2:31::2", "udp", 443, false],
  ["at a host that policy has not", "2001:db8:77::1", "2001:db8:1:2:21::2", "tcp", 443, false],
] as const)("dynamicAdmissionOf judges a flow %s", (_, from, to, protocol, port, expected) => {
  const desired = desiredWith({ betweenHosts: "closed", egress: "open", openings: under });
  expect(dynamicAdmissionOf(desired, elements)(flowIn(flow(from, to, protocol, port)))).toBe(expected);
});

test("answerOf turns a flow round, where it has ports", () => {
  const [udp, other, echo, tcp] = parseFlows(listing).map(answerOf);
  expect([udp, other, echo, tcp]).toEqual([
    "2001:db8::2 . udp . 3 . 2001:db8::1 . 5",
    undefined,
    undefined,
    "2001:db8::2 . tcp . 3 . 2001:db8::1 . 1",
  ]);
});
