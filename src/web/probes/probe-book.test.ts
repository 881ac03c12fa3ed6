import { expect, test } from "vitest";
import { withApi } from "../../../test/web/bench.ts";
import { MemoryController } from "../../../test/web/memory-controller.ts";
import { opening } from "../../../test/web/views.ts";
import { instant } from "../../base/time.ts";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import type { State } from "../../probe/probe.ts";
import { type Check, fresh, ProbeBook } from "./probe-book.ts";

const to = "2001:db8:1234:321d:23::80";
const office = [prefix("2001:db8:aaaa::/48")];
const check = (state: State, at: number, from = "internet"): Check => ({
  at,
  from,
  by: "ann",
  state,
  reason: state === "open" ? "syn-ack" : "no-response",
  ms: 1,
});

test("ProbeBook keeps thirty checks of an opening, 5,000 openings, and none of what closed", () => {
  const controller = new MemoryController();
  const book = new ProbeBook(controller);
  for (let n = 0; n < 40; n++) book.put("a", check("open", n));
  expect(book.of("a").map(({ at }) => at)).toEqual(Array.from({ length: 30 }, (_, n) => n + 10));
  for (let n = 0; n < 5000; n++) book.put(`o${n}`, check("open", n));
  expect(book.of("a")).toEqual([]);
  expect(book.of("o0")).toHaveLength(1);
  controller.emit({ kind: "closed", at: instant(1), opening: opening("o0"), why: "test" });
  expect(book.of("o0")).toEqual([]);
  book.end();
  expect(controller.watchers).toBe(0);
});

test.each<[checks: readonly Check[], proof: string]>([
  [[], "unproved"],
  [[check("open", 0)], "proved"],
  [[check("open", -fresh)], "unproved"],
  [[check("open", 0), check("filtered", 1)], "failing"],
  [[check("filtered", 0), check("open", 1)], "proved"],
  [[check("filtered", 0, "office"), check("open", 1)], "failing"],
  [[check("filtered", -fresh, "office"), check("open", 1)], "proved"],
  [[check("open|filtered", 0)], "unproved"],
  [[check("open|filtered", 0), check("open", 0, "office")], "proved"],
  [[check("closed", 0)], "failing"],
])("ProbeBook says of checks %j: %s", (checks, proof) => {
  const book = new ProbeBook(new MemoryController());
  for (const each of checks) book.put("a", each);
  expect(book.proofOf("a", 1)).toBe(proof);
});

const answer = { to, transport: "tcp", port: 443, state: "open", reason: "syn-ack", ms: 2 } as const;

test("POST /probes takes answers of what is open to the vantage, and no others", async () => {
  await withApi(async (stand) => {
    const ranged = { kind: "ports", transport: "tcp", ports: { first: 8000, last: 8099 } } as const;
    stand.controller.scene.openings.set("vm1", [
      opening("anyone"),
      opening("office", { from: office, service: ranged }),
      opening("other", { to: address("2001:db8:1234:321d:23::81") }),
    ]);
    const post = (from: string, ...answers: readonly object[]): Promise<Readonly<Record<string, unknown>>> =>
      stand.json("/api/v1/probes", { method: "POST", body: { from, answers } });
    const port8080 = { ...answer, port: 8080 };
    expect(await post("internet", answer, port8080, { ...answer, port: 22 })).toMatchObject({ taken: 1, ignored: 2 });
    expect(await post("office", answer, port8080)).toMatchObject({ taken: 2, ignored: 0 });
    const { entries } = (await stand.json("/api/v1/probes?ids=anyone,office,other,gone")) as unknown as {
      readonly entries: readonly { readonly id: string; readonly proof: string; readonly checks: readonly Check[] }[];
    };
    expect(entries.map(({ id, proof, checks }) => [id, proof, checks.map(({ from }) => from)])).toEqual([
      ["anyone", "proved", ["internet", "office"]],
      ["office", "proved", ["office"]],
      ["other", "unproved", []],
    ]);
    const topology = (await stand.json("/api/v1/topology")) as unknown as {
      readonly hosts: readonly object[];
    };
    expect(topology.hosts[0]).toMatchObject({
      openings: 3,
      proved: 2,
      failing: 0,
      provedFrom: { internet: 1, office: 1 },
    });
    stand.later(fresh);
    expect((await stand.json("/api/v1/probes?ids=anyone")) as typeof topology & object).toMatchObject({
      entries: [{ proof: "unproved" }],
    });
  });
});

test.each<[name: string, body: object, status: number, code: string]>([
  ["an address that is not the fleet's", { from: "internet", answers: [{ ...answer, to: "2600::1" }] }, 422, "E976"],
  ["something that is no address", { from: "internet", answers: [{ ...answer, to: "<b>" }] }, 422, "E976"],
  ["a vantage that nobody knows", { from: "<script>", answers: [answer] }, 400, "E955"],
  ["a word that is none of nmap's", { from: "internet", answers: [{ ...answer, state: "fine" }] }, 400, "E955"],
  ["ping with a port", { from: "internet", answers: [{ ...answer, transport: "ping" }] }, 400, "E955"],
  ["no answer", { from: "internet", answers: [] }, 400, "E955"],
  ["too many", { from: "internet", answers: Array.from({ length: 257 }, () => answer) }, 400, "E955"],
  ["what the schema does not name", { from: "internet", answers: [{ ...answer, said: "SSH-2.0" }] }, 400, "E955"],
])("POST /probes refuses %s, and keeps nothing of the report", async (_, body, status, code) => {
  await withApi(async (stand) => {
    stand.controller.scene.openings.set("vm1", [opening("a")]);
    const answers = [answer, ...(body as { readonly answers: readonly object[] }).answers];
    const said = await stand.ask("/api/v1/probes", {
      method: "POST",
      body: answers.length === 1 ? body : { ...body, answers },
    });
    expect([said.status, said.text.includes(code)]).toEqual([status, true]);
    expect((await stand.json("/api/v1/probes?ids=a"))["entries"]).toEqual([{ id: "a", proof: "unproved", checks: [] }]);
  });
});
