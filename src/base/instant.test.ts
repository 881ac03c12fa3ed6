import fc from "fast-check";
import { expect, test } from "vitest";
import { parseInstant } from "./instant.ts";

test("parseInstant agrees with Date, for any second of the years 0 to 9999", () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }), (second) => {
      expect(parseInstant(new Date(second * 1000).toISOString())).toBe(second);
    }),
  );
});

test.each([
  ["2026-07-01T02:00:00+02:00", "2026-07-01T00:00:00Z"],
  ["2026-06-30T19:30:00-04:30", "2026-07-01T00:00:00Z"],
  ["2026-07-01T00:00:00.999Z", "2026-07-01T00:00:00Z"],
])("parseInstant reads %s as %s", (text, same) => {
  expect(parseInstant(text)).toBe(Date.parse(same) / 1000);
});

test.each([
  "2026-02-29T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-00-01T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-12-31T23:59:60Z",
  "2026-01-01T00:00:00",
  "2026-01-01",
  "2026-01-01 00:00:00Z",
  "2026-01-01T00:00:00+24:00",
  "2026-01-01T00:00:00Z\n",
  "",
])("parseInstant refuses %j", (text) => {
  expect(parseInstant(text)).toBeUndefined();
});
