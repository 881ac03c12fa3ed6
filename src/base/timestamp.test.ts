import fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "./time.ts";
import { formatTimestamp, parseTimestamp } from "./timestamp.ts";

const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

test("parseTimestamp reads what Date writes, to the millisecond", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: last }), (at) => {
      expect(parseTimestamp(new Date(at).toISOString())).toBe(at);
    }),
  );
});

test("formatTimestamp writes what Date writes, in whole seconds", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: last }), (at) => {
      expect(formatTimestamp(instant(at))).toBe(new Date(at).toISOString().replace(/\.\d+Z$/, "Z"));
    }),
  );
});

test.each([
  "2026-12-31T18:00:00+02:00",
  "2026-12-31T18:00:00-11:30",
  "2024-02-29T00:00:00Z",
  "2000-02-29T23:59:59.5Z",
  "1970-01-01T00:00:00Z",
])("parseTimestamp reads %s as Date does", (text) => {
  expect(parseTimestamp(text)).toBe(Date.parse(text));
});

test("parseTimestamp reads lower case letters, RFC 3339 §5.6", () => {
  expect(parseTimestamp("2026-12-31t18:00:00z")).toBe(Date.parse("2026-12-31T18:00:00Z"));
});

test.each([
  "",
  "2026-12-31",
  "2026-12-31T18:00:00",
  "2026-12-31 18:00:00Z",
  "2026-12-31T18:00Z",
  "2026-02-29T00:00:00Z",
  "2100-02-29T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-00-01T00:00:00Z",
  "2026-04-31T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-01-01T00:60:00Z",
  "2016-12-31T23:59:60Z",
  "2026-01-01T00:00:00+24:00",
  "2026-01-01T00:00:00+0200",
  "1969-12-31T23:59:59Z",
  "+02026-01-01T00:00:00Z",
  "2026-1-1T0:0:0Z",
  "tomorrow",
  "2026-12-31T18:00:00Z ",
  "2026-12-31T18:00:00.Z",
])("parseTimestamp refuses %j", (text) => {
  expect(parseTimestamp(text)).toBeUndefined();
});
