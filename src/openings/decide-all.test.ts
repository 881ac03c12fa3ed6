import { expect, test } from "vitest";
import type { HostName } from "../base/name.ts";
import { instant } from "../base/time.ts";
import { address, offset } from "../net/address.ts";
import { prefix } from "../net/prefix.ts";
import type { DecisionContext } from "./decide.ts";
import { decideAll } from "./decide-all.ts";
import { closedPolicy, type OpeningPolicy } from "./policy.ts";
import type { Request } from "./request.ts";

const vm1 = "vm1" as HostName;
const now = instant(5_000);
const first = address("2001:db8:1234:321d:22::1");
const context: DecisionContext = {
  hosts: new Map([[vm1, { block: prefix("2001:db8:1234:321d:20::/76"), own: [] }]]),
  groups: new Map(),
  containers: () => [],
};

function policy(perContainer: number, perHost: number): OpeningPolicy {
  return {
    ...closedPolicy,
    allow: [
      {
        id: "all",
        hosts: "all",
        services: [{ kind: "ports", transport: "tcp", ports: { first: 1, last: 1_000 } }],
        from: [prefix("::/0")],
        by: ["labels", "people"],
      },
    ],
    limits: { ...closedPolicy.limits, perContainer, perHost },
  };
}

function request(container: number, port: number, over: Partial<Request> = {}): Request {
  return {
    key: `c${container} ${port}`,
    by: "labels",
    host: vm1,
    container: `c${container}`,
    to: offset(first, container) ?? first,
    service: { kind: "ports", transport: "tcp", ports: { first: port, last: port } },
    from: [{ kind: "prefix", prefix: prefix("::/0") }],
    since: instant(1_000),
    asked: { at: "sixgate.open rule 1", text: String(port) },
    ...over,
  };
}

function open(limits: readonly [number, number], requests: readonly Request[], held: readonly string[] = []) {
  const decisions = decideAll(policy(...limits), requests, context, now, new Set(held));
  for (const each of decisions) if (each.kind === "refused") expect(each.refusal.code).toBe("E918");
  expect(decisions.map((each) => each.request)).toEqual(requests);
  return decisions.filter((each) => each.kind === "granted").map((each) => each.request.key);
}

test("decideAll keeps to the limit of a container, by key", () => {
  const requests = [3, 1, 2].map((port) => request(1, port));
  expect(open([2, 9], requests)).toEqual(["c1 1", "c1 2"]);
  expect(open([3, 9], requests)).toHaveLength(3);
});

test("decideAll keeps to the limit of a host", () => {
  const requests = [1, 2, 3].map((container) => request(container, 80));
  expect(open([9, 2], requests)).toEqual(["c1 80", "c2 80"]);
});

test("decideAll lets what is open keep its place", () => {
  const requests = [1, 2, 3].map((port) => request(1, port));
  expect(open([2, 9], requests, ["c1 3"])).toEqual(["c1 1", "c1 3"]);
  expect(open([9, 1], requests, ["c1 2"])).toEqual(["c1 2"]);
});

test("decideAll prefers who came first", () => {
  const requests = [request(1, 80, { since: instant(3_000) }), request(2, 80, { since: instant(2_000) })];
  expect(open([9, 1], requests)).toEqual(["c2 80"]);
});

test("decideAll counts one service at one address once", () => {
  const twice = [request(1, 80), request(1, 80, { key: "c1 80 again" }), request(1, 81)];
  expect(open([2, 9], twice)).toHaveLength(3);
  expect(open([9, 2], twice)).toHaveLength(3);
});

test("decideAll counts what people open for the host, and what is refused for nobody", () => {
  const { container: _, ...person } = request(1, 90, { by: "people", key: "ada 1" });
  expect(open([1, 2], [person, request(1, 80), request(2, 80)])).toEqual(["ada 1", "c1 80"]);
  const forbidden = decideAll(policy(1, 1), [request(1, 2_000), request(1, 80)], context, now, new Set());
  expect(forbidden.map((each) => each.kind)).toEqual(["refused", "granted"]);
});
