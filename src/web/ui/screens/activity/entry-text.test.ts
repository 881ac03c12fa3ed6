import { describe, expect, test } from "vitest";
import type { JournalEntry } from "../../store/views.ts";
import { detailText, fieldsOf, searchedText, subjectOf, whoOf } from "./entry-text.ts";

const entry = (what: string, detail: JournalEntry["detail"] = {}, who = "agent vm1"): JournalEntry => ({
  sequence: 1,
  at: 1_700_000_000_000,
  who,
  what,
  detail,
  hash: "0".repeat(64),
});

test("whoOf tells people from agents and the controller", () => {
  expect(["ada", "agent vm1", "controller", "sixgate"].map((who) => whoOf(entry("x", {}, who)))).toEqual([
    "person",
    "agent",
    "controller",
    "controller",
  ]);
});

test("subjectOf knows the controller's words", () => {
  const words = ["opened", "close-done", "ended", "refused", "gateway-failing", "store-lost", "agent-silent", "revoke"];
  expect(words.map((what) => subjectOf(entry(what)))).toEqual([
    "openings",
    "openings",
    "openings",
    "refused",
    "alarms",
    "alarms",
    "agents",
    "agents",
  ]);
  expect(subjectOf(entry("alarm", { alarm: "drift", text: "…" }))).toBe("drift");
  expect(subjectOf(entry("alarm", { alarm: "address", text: "…" }))).toBe("alarms");
  expect(["apply begun", "applied", "token made"].map((what) => subjectOf(entry(what)))).toEqual([
    "applies",
    "applies",
    "other",
  ]);
});

describe("detailText", () => {
  test("begins with whose it is, has no id, and reads as a sentence", () => {
    const detail = {
      id: "f".repeat(64),
      host: "vm1",
      to: "2001:db8::80",
      service: "443/tcp",
      from: ["::/0"],
      grantedBy: "allow[0]",
      container: "a".repeat(64),
      name: "web",
      asked: "443",
      ms: 12,
    };
    expect(detailText(entry("opened", detail))).toBe(
      "vm1/web · 2001:db8::80 · 443/tcp · asked 443 · from anywhere · granted by allow[0] · ms 12",
    );
  });

  test("cuts hashes, writes ends as a time, and shows what reorders text", () => {
    const detail = { container: "a".repeat(64), ends: 1_700_000_000_000, reason: "\u202egpj.exe", more: { n: [1] } };
    expect(detailText(entry("open", detail))).toBe(
      `because \\u{202e}gpj.exe · until 2023-11-14 22:13:20 · container ${"a".repeat(12)} · more {"n":[1]}`,
    );
  });
});

test("fieldsOf cuts nothing and encodes", () => {
  const detail = { hash: "b".repeat(64), from: ["::/0", "2001:db8::/32"], ends: 0, n: { a: 1 }, "\u202ek": "a\nb" };
  expect(fieldsOf(entry("x", detail))).toEqual([
    ["hash", "b".repeat(64)],
    ["from", "::/0, 2001:db8::/32"],
    ["ends", "1970-01-01 00:00:00 (0)"],
    ["n", '{"a":1}'],
    ["\\u{202e}k", "a\\nb"],
  ]);
});

test("searchedText has what is shown, in small letters, and what is cut", () => {
  const text = searchedText(entry("opened", { host: "vm1", name: "Web", container: "c".repeat(64) }));
  for (const part of ["agent vm1", "opened", "2023-11-14", "vm1/web", "c".repeat(64)]) expect(text).toContain(part);
});
