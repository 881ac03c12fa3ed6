import { expect, test } from "vitest";
import { withApi } from "../../test/web/bench.ts";
import { opening, refusal, suggestion } from "../../test/web/views.ts";
import type { HostName } from "../base/name.ts";
import { address } from "../net/address.ts";
import { type ByHost, pageOf } from "./page.ts";

type Thing = { readonly key: string; readonly wanted: boolean };

function listOf(things: ReadonlyMap<string, readonly Thing[]>): ByHost<Thing> & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    hosts: [...things.keys()].sort() as HostName[],
    of: (host) => {
      asked.push(host);
      return things.get(host) ?? [];
    },
    key: (thing) => thing.key,
    wants: (thing) => thing.wanted,
  };
}

function walk(list: ByHost<Thing>, limit: number): { readonly keys: string[]; readonly pages: number } {
  const keys: string[] = [];
  let after: string | undefined;
  for (let pages = 1; ; pages++) {
    expect(pages).toBeLessThan(2000);
    const page = pageOf(list, limit, after);
    keys.push(...(page?.entries ?? []).map((thing) => thing.key));
    expect(page?.entries.length).toBeLessThanOrEqual(limit);
    after = page?.next;
    if (after === undefined) return { keys, pages };
  }
}

/** Hosts of several sizes, entries in no order. */
function things(count: number, wanted: (i: number) => boolean = () => true): Map<string, Thing[]> {
  const all = new Map<string, Thing[]>();
  for (let i = 0; i < count; i++) {
    const host = `vm${(i * i) % 7}`;
    all.set(host, [...(all.get(host) ?? []), { key: `${host}-${(i * 7919) % 10_007}`, wanted: wanted(i) }]);
  }
  return all;
}

test.each([1, 2, 3, 7, 100, 1000])("pageOf shows everything once, in order, in pages of %d", (limit) => {
  const all = things(500);
  const { keys } = walk(listOf(all), limit);
  expect(keys).toEqual(
    [...all.keys()].sort().flatMap((host) => (all.get(host) ?? []).map((thing) => thing.key).sort()),
  );
});

test("pageOf asks only the hosts that the page is made of", () => {
  const list = listOf(things(700));
  const first = pageOf(list, 3, undefined);
  expect(list.asked).toEqual(["vm0"]);
  pageOf(list, 3, first?.next);
  expect(list.asked).toEqual(["vm0", "vm0"]);
});

test("pageOf shows what stays once, though others come and go between two pages", () => {
  const all = things(300);
  const host = [...all.keys()].sort()[0] ?? "";
  const first = pageOf(listOf(all), 10, undefined);
  const gone = all.get(host) ?? [];
  all.set(host, [{ key: "a", wanted: true }, ...gone.slice(5)]);
  const seen = new Set(first?.entries.map((thing) => thing.key));
  for (let after = first?.next; after !== undefined; ) {
    const page = pageOf(listOf(all), 10, after);
    for (const thing of page?.entries ?? []) {
      expect(seen.has(thing.key)).toBe(false);
      seen.add(thing.key);
    }
    after = page?.next;
  }
  for (const thing of [...all.values()].flat()) if (thing.key !== "a") expect(seen).toContain(thing.key);
});

test("pageOf looks at some thousand entries for a page, and goes on where a filter leaves nothing", () => {
  const all = new Map(
    Array.from({ length: 100 }, (_, h) => [
      `vm${h}`,
      Array.from({ length: 1000 }, (__, i) => ({ key: `${h}-${i}`, wanted: h === 99 && i === 7 })),
    ]),
  );
  const list = listOf(all);
  const first = pageOf(list, 10, undefined);
  expect(first).toMatchObject({ entries: [], next: expect.any(String) });
  expect(list.asked.length).toBe(20);
  expect(walk(listOf(all), 10)).toEqual({ keys: ["99-7"], pages: 6 });
});

test.each(["", "x", "bnVsbA", "WzEsMl0", "WyJ2bTEiXQ", Buffer.from('{"host":"vm1"}').toString("base64url")])(
  "pageOf takes no place that it did not give: %j",
  (after) => {
    expect(pageOf(listOf(things(10)), 1, after)).toBeUndefined();
  },
);

test("GET /openings pages, filters, and refuses what it does not know", async () => {
  await withApi(async (stand) => {
    const { scene } = stand.controller;
    const ids = Array.from({ length: 250 }, (_, i) => `o${String(i).padStart(3, "0")}`);
    scene.openings.set("vm1", ids.map((id) => opening(id)).reverse());
    scene.openings.set("vm2", [
      opening("z1", { host: "vm2" as HostName, state: "held", to: address("2001:db8:1234:321d:32::80") }),
      opening("z2", { host: "vm2" as HostName, askedBy: { kind: "person", name: "x", text: "" } }),
    ]);
    const get = async (query: string): Promise<readonly string[]> => {
      const { entries } = (await stand.json(`/api/v1/openings?${query}`)) as { entries: { id: string }[] };
      return entries.map((each) => each.id);
    };
    const first = await stand.json("/api/v1/openings");
    expect(first).toMatchObject({ format: "sixgate.openings/1", next: expect.any(String) });
    expect(first["entries"]).toHaveLength(100);
    expect(await get(`limit=1000&after=${String(first["next"])}`)).toEqual([...ids.slice(100), "z1", "z2"]);
    expect(await get("host=vm2")).toEqual(["z1", "z2"]);
    expect(await get("host=nowhere")).toEqual([]);
    expect(await get("state=held")).toEqual(["z1"]);
    expect(await get("by=person")).toEqual(["z2"]);
    expect(await get("within=2001:db8:1234:321d:30::/76")).toEqual(["z1"]);
    expect(await get("within=2001:db8:1234:321d:32::80")).toEqual(["z1"]);
    expect(await get(`container=${"a".repeat(64)}&host=vm2`)).toEqual(["z1", "z2"]);
    expect(await get("container=web&limit=2")).toEqual(["o000", "o001"]);
    for (const wrong of [
      "limit=0",
      "limit=1001",
      "limit=x",
      "after=zz",
      "state=shut",
      "nothing=1",
      "host=a&host=b",
      "within=::1/64",
    ]) {
      const said = await stand.ask(`/api/v1/openings?${wrong}`);
      expect({ wrong, status: said.status }).toEqual({ wrong, status: 400 });
      expect(JSON.parse(said.text)).toMatchObject({
        format: "sixgate.error/1",
        errors: [{ code: "E955", fix: expect.any(String) }],
      });
    }
  });
});

test("GET /refusals and /suggestions page without a twin", async () => {
  await withApi(async (stand) => {
    const { scene } = stand.controller;
    scene.refusals.set(
      "vm1",
      [1, 2, 3].map((n) => refusal({ text: String(n) })),
    );
    scene.suggestions.set(
      "vm1",
      [1, 2, 3].map((n) => suggestion({ ports: { first: n, last: n } })),
    );
    for (const [path, texts] of [
      ["refusals", ["1", "2", "3"]],
      ["suggestions", [1, 2, 3]],
    ] as const) {
      const seen: unknown[] = [];
      let after = "";
      do {
        const page = (await stand.json(`/api/v1/${path}?limit=1${after}`)) as {
          entries: { text?: string; ports?: { first: number } }[];
          next?: string;
        };
        seen.push(...page.entries.map((each) => each.text ?? each.ports?.first));
        after = page.next === undefined ? "" : `&after=${page.next}`;
      } while (after !== "");
      expect(seen).toEqual(texts);
    }
  });
});

test("GET /openings makes a page of a million from the few hosts that it needs", async () => {
  await withApi(async (stand) => {
    const { scene } = stand.controller;
    for (let h = 0; h < 4000; h++) {
      const host = `vm${String(h).padStart(4, "0")}` as HostName;
      scene.openings.set(
        host,
        Array.from({ length: 250 }, (_, i) => opening(`${h}-${i}`, { host })),
      );
    }
    const longest = { hosts: 0 };
    const plain = stand.controller.openings.bind(stand.controller);
    let asked = 0;
    stand.controller.openings = (host) => {
      if (host === undefined) throw new Error("Copied whole");
      asked += 1;
      return plain(host);
    };
    let seen = 0;
    let after = "";
    do {
      asked = 0;
      const page = (await stand.json(`/api/v1/openings?limit=1000${after}`)) as { entries: unknown[]; next?: string };
      seen += page.entries.length;
      longest.hosts = Math.max(longest.hosts, asked);
      after = page.next === undefined ? "" : `&after=${page.next}`;
    } while (after !== "" && seen < 100_000);
    expect(seen).toBe(100_000);
    expect(longest.hosts).toBeLessThanOrEqual(5);
    const last = await stand.json(`/api/v1/openings?host=vm3999&limit=1000`);
    expect(last["entries"]).toHaveLength(250);
  });
}, 120_000);
