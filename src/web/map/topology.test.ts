import { expect, test } from "vitest";
import { withApi } from "../../../test/web/bench.ts";

import { container, opening, refusal, vm1 } from "../../../test/web/views.ts";
import { instant } from "../../base/time.ts";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import type { DeniedFlow, TopologyView } from "./topology-schema.ts";

const web = "2001:db8:1234:321d:23::80";

test("GET /topology goes from sources to containers, openings by source", async () => {
  await withApi(async (stand) => {
    const { scene } = stand.controller;
    scene.containers.set("vm1", [container("web", web)]);
    scene.openings.set("vm1", [
      opening("a", { from: [prefix("2001:db8:aaaa::/48")] }),
      opening("b"),
      opening("c", { from: [prefix("3fff:9::/32")], state: "held", to: address("2001:db8:1234:321d:23::99") }),
    ]);
    scene.refusals.set("vm1", [refusal({ to: address(web) })]);
    scene.agents.push({ host: vm1, state: "connected", containers: 1 });
    const found = (await stand.json("/api/v1/topology")) as unknown as TopologyView;
    expect(found.sources.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "internet internet",
      "group office",
      "prefix 3fff:9::/32",
    ]);
    const host = found.hosts.find(({ name }) => name === "vm1");
    expect(host).toMatchObject({ agent: "connected", openings: 3, held: 1, refusals: 1 });
    expect(host?.from).toEqual({ internet: 1, office: 1, "3fff:9::/32": 1 });
    expect(found.bridges.map(({ id }) => id)).toContain(host?.bridge);
    const dots = host?.dots ?? [];
    expect(dots.find((dot) => dot.address === web)).toMatchObject({ name: "web", state: "reported" });
    expect(dots.find((dot) => dot.address === web)?.openings.map(({ from }) => from)).toEqual([
      ["office"],
      ["internet"],
    ]);
    expect(dots.find((dot) => dot.address.endsWith("::99"))).toMatchObject({ state: "unseen", name: "web" });
  });
});

test("GET /topology shows what was denied lately, by source and host", async () => {
  await withApi(async (stand) => {
    const { controller } = stand;
    const event = { kind: "denied", at: instant(Date.now()), transport: "tcp", port: 22, count: 2 } as const;
    controller.emit({ ...event, from: address("2600::1"), to: address(web) });
    controller.emit({ ...event, from: address("2001:db8:aaaa::5"), to: address(web) });
    controller.emit({ ...event, from: address("2600::1"), to: address("2001:db8:1234:321d:ff0::1") });
    const { denied } = (await stand.json("/api/v1/topology")) as unknown as TopologyView;
    expect(denied.map(({ source, host, count }) => [source, host, count])).toEqual([
      ["internet", undefined, 2],
      ["office", "vm1", 2],
      ["internet", "vm1", 2],
    ]);
    stand.later(6 * 60_000);
    expect(((await stand.json("/api/v1/topology")) as unknown as TopologyView).denied).toEqual([]);
  });
});

test("GET /topology draws 400 containers one by one and no more, but all of a host that is asked for", async () => {
  await withApi(async (stand) => {
    const many = Array.from({ length: 500 }, (_, i) =>
      container(`c${i}`, `2001:db8:1234:321d:22::${(i + 2).toString(16)}`),
    );
    stand.controller.scene.containers.set("vm1", many);
    const all = (await stand.json("/api/v1/topology")) as unknown as TopologyView;
    expect(all.hosts.find(({ name }) => name === "vm1")?.dots).toBeUndefined();
    expect(all.hosts.find(({ name }) => name === "vm1")?.containers).toBeGreaterThanOrEqual(500);
    expect(all.hosts.find(({ name }) => name === "vm2")?.dots).toBeDefined();
    const one = (await stand.json("/api/v1/topology?host=vm1")) as unknown as TopologyView;
    expect(one.hosts.map(({ name }) => name)).toEqual(["vm1"]);
    expect(one.hosts[0]?.dots?.length).toBeGreaterThanOrEqual(500);
    expect((await stand.ask("/api/v1/topology?host=nobody")).status).toBe(404);
  });
});

test("GET /denied names who has the address, host by host, and counts what it does not show", async () => {
  await withApi(async (stand) => {
    const { controller } = stand;
    controller.scene.containers.set("vm1", [container("<b>web", web)]);
    const event = { kind: "denied", at: instant(Date.now()), transport: "tcp", port: 22, count: 3 } as const;
    controller.emit({ ...event, from: address("2600::1"), to: address("2001:db8:1234:321d:ff0::1") });
    for (let n = 0; n < 600; n++)
      controller.emit({ ...event, from: address(`2600:0:0:${n.toString(16)}::1`), to: address(web) });
    type Answer = { readonly entries: readonly DeniedFlow[]; readonly all: number; readonly packets: number };
    const { entries, all, packets } = (await stand.json("/api/v1/denied")) as unknown as Answer;
    expect([entries.length, all, packets]).toEqual([500, 601, 1803]);
    expect(entries[0]).toMatchObject({ host: "vm1", container: "<b>web", source: "internet", count: 3 });
    const one = (await stand.json("/api/v1/denied?host=vm2")) as unknown as Answer;
    expect([one.entries, one.all, one.packets]).toEqual([[], 0, 0]);
  });
});
