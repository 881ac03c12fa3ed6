import { expect, test } from "vitest";
import { withApi } from "../../../test/web/bench.ts";
import { labBasis, MemoryController } from "../../../test/web/memory-controller.ts";
import { container, opening } from "../../../test/web/views.ts";
import type { HostName } from "../../base/name.ts";
import type { HostNumbersView, NumbersView, OwnerView } from "./numbers-schema.ts";

const base = "2001:db8:1234:321d:";

test("GET /addresses has blocks in order of slots, what is free next, and how much is used", async () => {
  await withApi(async (stand) => {
    const found = (await stand.json("/api/v1/addresses")) as unknown as NumbersView;
    expect(found.lengths).toEqual({ delegated: 64, host: 76, link: 80, network: 80 });
    expect(found.blocks.map(({ slot }) => slot)).toEqual([2, 3]);
    expect(found.slots).toEqual({ all: 4096, used: 4 });
    // Without the ledger nobody knows what is kept, so nothing is called free.
    expect(found).not.toHaveProperty("next");
    expect(found).not.toHaveProperty("kept");
  });
});

test("GET /addresses gives no number away that the ledger keeps for a host that left", async () => {
  const basis = labBasis();
  const ledger = {
    format: "sixgate.ledger/1",
    fleet: basis.fleet.name,
    hosts: [
      ...basis.plan.hosts.map(({ host, slot }) => ({ host, slot, networks: [] })),
      { host: "gone" as HostName, slot: 4, networks: [] },
    ],
  } as const;
  await withApi(
    async (stand) => {
      const found = (await stand.json("/api/v1/addresses")) as unknown as NumbersView;
      expect(found.kept).toEqual([{ host: "gone", slot: 4 }]);
      expect(found.next).toEqual({ slot: 5, block: `${base}50::/76` });
      expect(await stand.json(`/api/v1/who?address=${base}40::1`)).toMatchObject({ kind: "kept" });
    },
    [],
    (now) => new MemoryController(now, { ...basis, ledger }),
  );
});

test("GET /addresses/{host} lists link, networks and addresses, those of the file and those reported", async () => {
  await withApi(async (stand) => {
    stand.controller.scene.containers.set("vm1", [container("new", `${base}22::7`)]);
    const found = (await stand.json("/api/v1/addresses/vm1")) as unknown as HostNumbersView;
    expect(found.room.all).toBe(16);
    expect(found.link).toMatchObject({ gateway: `${base}20::1`, address: `${base}20::2` });
    const used = found.networks.flatMap((network) =>
      network.used.map((each) => `${network.index} ${each.name} ${each.state}`),
    );
    expect(used).toContain("2 new reported");
    expect(used.some((each) => each.endsWith("reserved"))).toBe(true);
    expect((await stand.ask("/api/v1/addresses/nobody")).status).toBe(404);
  });
});

test("GET /addresses tells of addresses that two containers have, or that are not theirs", async () => {
  await withApi(async (stand) => {
    stand.controller.scene.containers.set("vm1", [
      container("a", `${base}22::7`),
      container("b", `${base}22::7`),
      container("c", `${base}30::9`),
      container("d", `${base}20::1`),
      container("fine", "fd00::9"),
    ]);
    const found = (await stand.json("/api/v1/addresses")) as unknown as NumbersView;
    expect(found.conflicts.map(({ kind, container: name }) => `${kind} ${name}`)).toEqual([
      "twice b",
      "outside c",
      "taken d",
    ]);
    expect(found.conflictCount).toBe(3);
  });
});

test.each([
  [`${base}20::1`, "gateway"],
  [`${base}20::2`, "host"],
  [`${base}22::1`, "bridge"],
  [`${base}22::7`, "container"],
  [`${base}22::ffff`, "free"],
  [`${base}fff0::1`, "free"],
  ["2001:db8:1234:321d::1", "infrastructure"],
  [`${base}10::1`, "gateway"],
  [`${base}10::99`, "free"],
  ["2600::1", "outside"],
  ["2001:db8:aaaa::1", "group"],
  ["fe80::1", "outside"],
])("GET /who knows %s as %s", async (address, kind) => {
  await withApi(async (stand) => {
    stand.controller.scene.containers.set("vm1", [container("<b>\u202e", `${base}22::7`)]);
    stand.controller.scene.openings.set("vm1", [opening("one", { to: `${base}22::7` as never })]);
    const found = (await stand.json(`/api/v1/who?address=${address}`)) as unknown as OwnerView;
    expect(found.kind).toBe(kind);
    expect(found.text).not.toContain("\u202e");
    if (kind === "container") expect(found).toMatchObject({ host: "vm1", openings: ["one"] });
    for (const [at, step] of found.steps.entries())
      if (at > 0) expect(step.prefix).not.toBe(found.steps[at - 1]?.prefix);
  });
});

test.each(["", "2001:db8::/64", "10.0.0.1", "vm1"])("GET /who refuses %j, which is no address", async (text) => {
  await withApi(async (stand) => {
    expect((await stand.ask(`/api/v1/who?address=${encodeURIComponent(text)}`)).status).toBe(400);
  });
});
