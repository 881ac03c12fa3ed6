import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, longestDuration, parseDuration } from "./duration.ts";
import { seconds } from "./time.ts";

test.each([
  ["1s", 1],
  ["90s", 90],
  ["30m", 1_800],
  ["2h", 7_200],
  ["7d", 604_800],
  ["3650d", 315_360_000],
])("parseDuration reads %s", (text, length) => {
  expect(parseDuration(text)).toBe(length);
});

test.each([
  "",
  "0s",
  "08h",
  "8",
  "8 h",
  "8H",
  "1.5h",
  "1h30m",
  "-1h",
  "+1h",
  "3651d",
  "999999999d",
  "٣h",
  "8h ",
  "h",
  "1w",
  "8h\n",
])("parseDuration refuses %j", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test("formatDuration is read back by parseDuration", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: longestDuration }), (length) => {
      expect(parseDuration(formatDuration(seconds(length)))).toBe(length);
    }),
  );
  expect(formatDuration(seconds(90))).toBe("90s");
  expect(formatDuration(seconds(86_400))).toBe("1d");
});
