import fc from "fast-check";
import { expect, test } from "vitest";
import { comparePortRanges, formatPortRange, type PortRange, parsePortRange, portsOverlap } from "./port.ts";

const ports = fc.integer({ min: 1, max: 65_535 });
const ranges: fc.Arbitrary<PortRange> = fc
  .tuple(ports, ports)
  .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));

test("parsePortRange reads what formatPortRange writes", () => {
  expect(parsePortRange("80")).toEqual({ first: 80, last: 80 });
  expect(parsePortRange("8000-8099")).toEqual({ first: 8000, last: 8099 });
  expect(parsePortRange("1-65535")).toEqual({ first: 1, last: 65_535 });
  expect(formatPortRange({ first: 80, last: 80 })).toBe("80");
  fc.assert(
    fc.property(ranges, (range) => {
      expect(parsePortRange(formatPortRange(range))).toEqual(range);
    }),
  );
});

test.each([
  "",
  "0",
  "65536",
  "080",
  "-1",
  "80-",
  "-80",
  "80-79",
  "0-80",
  "80-65536",
  "80:90",
  "80 - 90",
  "1-2-3",
  "1e3",
  "http",
  "80\n",
])("parsePortRange refuses %j", (text) => {
  expect(parsePortRange(text)).toBeUndefined();
});

test("portsOverlap where a port is in both", () => {
  const range = (first: number, last: number): PortRange => ({ first, last });
  expect(portsOverlap(range(80, 80), range(80, 80))).toBe(true);
  expect(portsOverlap(range(80, 90), range(90, 99))).toBe(true);
  expect(portsOverlap(range(80, 90), range(91, 99))).toBe(false);
  expect(portsOverlap(range(1, 65_535), range(443, 443))).toBe(true);
});

test("comparePortRanges by first port, then by last", () => {
  const texts = ["22", "80", "80-90", "443"];
  const sorted = texts
    .toReversed()
    .map((text) => parsePortRange(text) as PortRange)
    .sort(comparePortRanges);
  expect(sorted.map(formatPortRange)).toEqual(texts);
});
