import { expect, test } from "vitest";
import { containerReport } from "../../test/container-report.ts";
import { address } from "../net/address.ts";
import type { ContainerReport, DeclaredPort } from "./container-report.ts";
import { mostSuggestions, suggestionsOf } from "./suggestions.ts";

const front = { network: "front", networkId: "n1", address: address("2001:db8:1234:321d:22::80") };
const back = { network: "back", networkId: "n2", address: address("2001:db8:1234:321d:23::80") };

function port(first: number, transport: DeclaredPort["transport"] = "tcp", last = first): DeclaredPort {
  return { transport, ports: { first, last } };
}

function suggest(over: Partial<ContainerReport>, ...others: readonly ContainerReport[]): readonly string[] {
  const report = containerReport({ id: "c1", image: "acme/web:1", endpoints: [front], ...over });
  const directory = new Map([report, ...others].map((each) => [each.id, each]));
  return suggestionsOf(report, directory, []).map(
    ({ address: to, transport, ports, declared, label }) =>
      `${to} ${transport} ${ports.first}-${ports.last} ${declared} ${label}`,
  );
}

test("suggestionsOf names what is declared, with the label that would open it", () => {
  const declared = {
    exposed: [port(8080), port(53, "udp"), port(443)],
    published: [port(443), port(9000, "tcp", 9010)],
  };
  expect(suggest(declared)).toEqual([
    "2001:db8:1234:321d:22::80 tcp 443-443 published sixgate.open=443",
    "2001:db8:1234:321d:22::80 tcp 8080-8080 exposed sixgate.open=8080",
    "2001:db8:1234:321d:22::80 tcp 9000-9010 published sixgate.open=9000-9010",
    "2001:db8:1234:321d:22::80 udp 53-53 exposed sixgate.open=53/udp",
  ]);
});

test("suggestionsOf leaves out what a label asks for, whatever was answered", () => {
  const exposed = [port(80), port(443), port(8080)];
  expect(suggest({ exposed, labels: { "sixgate.open": "80,443 from @office" } })).toEqual([
    "2001:db8:1234:321d:22::80 tcp 8080-8080 exposed sixgate.open=80,443 from @office; 8080",
  ]);
  expect(suggest({ exposed, published: exposed, labels: { "sixgate.open": "published" } })).toEqual([]);
  expect(suggest({ exposed, labels: { "sixgate.open": "1-65535/udp" } })).toHaveLength(3);
});

test("suggestionsOf has one for each address, or those of the networks that are named", () => {
  const declared = { exposed: [port(80)], endpoints: [back, front] };
  expect(suggest(declared)).toHaveLength(2);
  expect(suggest({ ...declared, labels: { "sixgate.network": "front" } })).toEqual([
    "2001:db8:1234:321d:22::80 tcp 80-80 exposed sixgate.open=80",
  ]);
});

test("suggestionsOf has none where nothing could be opened, or somebody said no", () => {
  const exposed = [port(80)];
  expect(suggest({ exposed, endpoints: [] })).toEqual([]);
  expect(suggest({ exposed, mode: "host" })).toEqual([]);
  expect(suggest({ exposed, mode: "container", sharesWith: "gone" })).toEqual([]);
  expect(suggest({ exposed, labels: { "sixgate.enable": "false" } })).toEqual([]);
});

test("suggestionsOf repeats no list of several lines, and nothing unencoded", () => {
  const exposed = [port(80)];
  expect(suggest({ exposed, labels: { "sixgate.open": "443 # web\nping\n" } })[0]).toMatch(/ sixgate\.open=80$/);
  expect(suggest({ exposed, labels: { "sixgate.open": "\u001b[2J\u202e" } })[0]).toMatch(
    / sixgate\.open=\\x1b\[2J\\u\{202e\}; 80$/,
  );
});

test("suggestionsOf ends, however much an image exposes", () => {
  const exposed = Array.from({ length: 5_000 }, (_, i) => port(i + 1));
  expect(suggest({ exposed, endpoints: [front, back] })).toHaveLength(mostSuggestions);
});
