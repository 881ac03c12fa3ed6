import { expect, test } from "vitest";
import { pfState } from "../../../test/conformance/pf-states.ts";
import type { HostName } from "../../base/name.ts";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import type { Transport } from "../../net/transport.ts";
import type { Opening } from "../../openings/opening.ts";
import { abilitiesOf, isNewerThanKnown } from "./abilities.ts";
import { audit } from "./limits.ts";

const good = pfState({ kind: "opnsense" });
const ports = (count: number, transport: Transport = "tcp"): readonly Opening[] =>
  Array.from({ length: count }, (_, i) => ({
    host: "vm1" as HostName,
    to: address("2001:db8:10ff:1:22::80"),
    service: { kind: "ports", transport, ports: { first: 1000 + i, last: 1000 + i } },
    from: [prefix("::/0")],
    askedBy: "x",
  }));

test.each<[string, Partial<typeof good>, string[]]>([
  ["what it can do", {}, []],
  ["a thousand services", { openings: ports(1000) }, []],
  ["more", { openings: ports(1001) }, ["E453"]],
  ["SCTP", { openings: ports(1, "sctp") }, ["E454"]],
  ["no shell", { network: { links: [], routes: [], shell: false } }, ["W452"]],
])("audit of %s", (_name, more, codes) => {
  expect(audit({ ...good, ...more }).map(({ code }) => code)).toEqual(codes);
});

test.each([
  ["24.1.10", undefined],
  ["24.7", { tunables: false, icmp6Types: false, routeSwitch: "disabled", ruleCounts: false }],
  ["25.1.12", { tunables: true, icmp6Types: false, routeSwitch: "disabled", ruleCounts: false }],
  ["25.7.11_2", { tunables: true, icmp6Types: false, routeSwitch: "disabled", ruleCounts: true }],
  ["25.10.2", { tunables: true, icmp6Types: false, routeSwitch: "disabled", ruleCounts: true }],
  ["26.1", { tunables: true, icmp6Types: true, routeSwitch: "disabled", ruleCounts: true }],
  ["26.4.1", { tunables: true, icmp6Types: true, routeSwitch: "disabled", ruleCounts: true }],
  ["26.7.2", { tunables: true, icmp6Types: true, routeSwitch: "enabled", ruleCounts: true }],
  ["27.1.a_12", { tunables: true, icmp6Types: true, routeSwitch: "enabled", ruleCounts: true }],
  ["nonsense", undefined],
  ["247.1", undefined],
])("abilitiesOf %s", (version, expected) => {
  expect(abilitiesOf(version)).toEqual(expected === undefined ? undefined : { version, ...expected });
});

test("isNewerThanKnown is for versions that nobody looked at yet", () => {
  expect(["26.7.2", "26.1", "27.1.a_12"].map(isNewerThanKnown)).toEqual([false, false, true]);
});
