import { expect, test } from "vitest";
import { runProcess } from "../../../src/runtime/process.ts";
import type { Outcome, Seen } from "./attacker.ts";
import { python } from "./attacker.ts";
import { faultOf, wishesOf } from "./judge.ts";
import { procedureOf } from "./procedures.ts";
import { readTables, tableFiles, tablesInFolder } from "./read-tables.ts";
import type { Case, Row } from "./table.ts";

const tables = await readTables();
const rows = tables.flatMap((table) => table.rows);

test("readTables reads every table of the folder", async () => {
  expect((await tablesInFolder()).toSorted()).toEqual([...tableFiles].sort());
});

test("readTables knows every row of the lists that it follows", () => {
  const count = (table: string): number => rows.filter((row) => row.table === table).length;
  const ids = (of: RegExp): number => rows.filter((row) => of.test(row.id)).length;
  // RFC 4890: 28 kinds of message, across and to the gateway, and two more. The others as they are numbered.
  expect(count("RFC 4890")).toBe(28 * 2 + 2);
  expect(count("RFC 6092")).toBe(50);
  expect([ids(/^EH-/), ids(/^OP-/)]).toEqual([10, 19]);
  expect(ids(/^(F[1-7]|E[1-6]|S[1-3]|N[1-6]|P[1-4]|U[1-8]|C[1-3]|L[1-2])$/)).toBe(39);
  expect(ids(/^NPP\./)).toBe(23);
});

test("RFC 4890 asks all 256 types, across and to the gateway", () => {
  for (const side of ["transit", "local"]) {
    const types = rows
      .filter((row) => row.table === "RFC 4890" && row.id.endsWith(side))
      .flatMap((row) => row.cases.flatMap((each) => each.steps.flatMap((step) => step.with["t"] ?? [])));
    expect([...new Set(types)].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 256 }, (_, t) => t));
  }
});

function isAsked(row: Row): boolean {
  const asked = row.cases.length + row.reads.length + row.timers.length + row.as.length;
  return asked > 0 || row.procedure !== undefined || row.tool !== undefined;
}

test("every row asks something or says why not, and says why where it deviates", () => {
  for (const row of rows) {
    const excused = row["not-applicable"] ?? row["not-run"];
    expect(isAsked(row) || excused !== undefined, row.id).toBe(true);
    if (row.deviates !== undefined) expect(isAsked(row), `${row.id} deviates and shows nothing`).toBe(true);
    if (row.procedure !== undefined) expect(procedureOf(row.procedure).says).not.toBe("");
    for (const each of row.cases) for (const step of each.steps) expect(wishesOf(step.expect)).not.toEqual([]);
  }
});

const nothing: Outcome = { seen: [], crossed: 0, accepted: 0 };
const arrival: Seen = {
  at: "vm1",
  kind: "arrival",
  from: "a",
  to: "b",
  what: "UDP",
  hops: 63,
  bytes: 48,
  text: "AAAA",
};
const answer: Seen = { ...arrival, at: "internet", kind: "answer", what: "TCP SA" };

function asked(expected: string, outcome: Outcome, more: { shows?: string; hides?: string } = {}): string | undefined {
  const one: Case = {
    what: "",
    policy: "as written",
    steps: [{ from: "internet", send: ["packet"], expect: expected, with: {}, ...more }],
  };
  return faultOf(one, [outcome]);
}

test.each([
  ["dropped", nothing],
  ["stopped", nothing],
  ["stopped", { ...nothing, seen: [answer] }],
  ["forwarded", { ...nothing, seen: [arrival], crossed: 1 }],
  ["accepted", { ...nothing, accepted: 1 }],
  ["forwarded, answered TCP SA", { ...nothing, seen: [arrival, answer], crossed: 1 }],
] as const)("faultOf finds no fault in %s where it came so: %o", (expected, outcome) => {
  expect(asked(expected, outcome)).toBeUndefined();
});

test.each([
  ["dropped", { ...nothing, seen: [answer] }],
  ["dropped", { ...nothing, seen: [arrival] }],
  ["dropped", { ...nothing, crossed: 1 }],
  ["dropped", { ...nothing, accepted: 1 }],
  ["stopped", { ...nothing, seen: [arrival] }],
  ["stopped", { ...nothing, crossed: 1 }],
  ["stopped", { ...nothing, accepted: 1 }],
  ["forwarded", nothing],
  ["forwarded", { ...nothing, crossed: 1 }],
  ["accepted", { ...nothing, crossed: 1 }],
  ["answered TCP SA", { ...nothing, seen: [{ ...answer, what: "TCP RA" }] }],
  ["answered TCP SA", { ...nothing, seen: [{ ...arrival, what: "TCP SA" }] }],
] as const)("faultOf finds a fault in %s where it did not: %o", (expected, outcome) => {
  expect(asked(expected, outcome)).toBeDefined();
});

test("faultOf looks into what arrives", () => {
  const outcome = { ...nothing, seen: [arrival], crossed: 1 };
  expect(asked("forwarded", outcome, { shows: "AA", hides: "B" })).toBeUndefined();
  expect(asked("forwarded", outcome, { shows: "B" })).toContain("should show B");
  expect(asked("forwarded", outcome, { hides: "A" })).toContain("should not show A");
});

test("faultOf finds a fault where a step was not asked", () => {
  const step = { from: "internet", send: ["packet"], expect: "dropped", with: {} } as const;
  expect(faultOf({ what: "", policy: "as written", steps: [step, step] }, [nothing])).toContain("was not asked");
});

test("wishesOf refuses a word that is none", () => {
  expect(() => wishesOf("droped")).toThrow("droped");
});

const hasScapy = (await runProcess("local", [python, "-c", "import scapy"]).catch(() => undefined))?.code === 0;
if (!hasScapy) console.log("skipped: the notation of packets: python3-scapy is not installed");

test.skipIf(!hasScapy)("sweep and scatter count on what scapy builds", async () => {
  const script = `
from notation import Notation
frames = lambda text: [data for _, data in Notation({}).frames(7, text, {})]
for layer in ("TCP(sport=sp, flags='S')", "UDP(sport=sp)"):
    swept = frames(f"sweep(ip(peer, stranger)/{layer})")
    built = frames(f"[ip(peer, stranger)/{layer.replace('=sp', '=sp, dport=port')} for port in (1, 443, 65535)]")
    assert [swept[0], swept[442], swept[65534]] == built, layer
spread = frames("scatter(ip(peer, stranger)/echo(n), '2001:db8:1::', 64, 40)")
built = frames("[ip(peer, to)/echo(n) for to in ('2001:db8:1::1', '2001:db8:1::9')]")
assert [spread[0], spread[8]] == built and len(set(spread)) == 40
print("same")
`;
  const ran = await runProcess("local", [
    python,
    "-B",
    "-c",
    `import sys; sys.path.insert(0, sys.argv[1])\n${script}`,
    import.meta.dirname,
  ]);
  expect(ran.stderr).toBe("");
  expect(ran.stdout).toBe("same\n");
});
