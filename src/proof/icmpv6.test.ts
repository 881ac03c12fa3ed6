import { expect, test } from "vitest";
import { icmpv6RowOf, icmpv6Rows, icmpv6TypesOf } from "./icmpv6.ts";

test("icmpv6Rows has 28 rows that cover every type and code exactly once", () => {
  expect(icmpv6Rows.map((each) => each.row)).toEqual(Array.from({ length: 28 }, (_, i) => i + 1));
  for (let type = 0; type <= 255; type++) {
    for (const code of [0, 1, 2, 3, 4, 255]) {
      const rows = icmpv6Rows.filter(
        (each) =>
          each.types.some(({ first, last }) => type >= first && type <= last) &&
          code >= (each.codes?.first ?? 0) &&
          code <= (each.codes?.last ?? 255),
      );
      expect([type, code, rows.map((each) => each.row).length]).toEqual([type, code, 1]);
    }
  }
});

test.each([
  [2, 0, 2, "related", "limited"],
  [3, 1, 4, "related", "limited"],
  [4, 2, 6, "related", "limited"],
  [4, 3, 7, "related", "limited"],
  [128, 0, 11, "live", "limited"],
  [134, 0, 16, "drop", "drop"],
  [135, 0, 17, "drop", "on-link"],
  [137, 0, 18, "drop", "drop"],
  [143, 0, 14, "drop", "listener"],
  [199, 0, 26, "drop", "drop"],
  [255, 0, 28, "drop", "drop"],
])("icmpv6RowOf gives type %i code %i as row %i", (type, code, row, transit, local) => {
  expect(icmpv6RowOf(type, code)).toMatchObject({ row, transit, local });
});

test("icmpv6RowOf refuses what is no octet", () => {
  expect(() => icmpv6RowOf(256, 0)).toThrow(RangeError);
  expect(() => icmpv6RowOf(1, -1)).toThrow(RangeError);
  expect(() => icmpv6RowOf(1.5, 0)).toThrow(RangeError);
});

test("icmpv6Rows never drops in transit what RFC 4890 forbids to drop", () => {
  for (const each of icmpv6Rows.filter((row) => row.advice.transit === "M")) expect(each.transit).not.toBe("drop");
});

test("icmpv6Rows says so where it deviates from a must or a should", () => {
  for (const each of icmpv6Rows) {
    const kept = each.advice.transit === "M" || each.advice.transit === "S";
    const narrowed = kept && (each.transit === "drop" || each.transit === "live");
    if (narrowed) expect([each.row, each.reason]).toEqual([each.row, expect.stringContaining("deviation")]);
  }
});

test("icmpv6TypesOf lists the types of a verdict", () => {
  expect(icmpv6TypesOf("transit", "related")).toEqual([1, 2, 3, 4]);
  expect(icmpv6TypesOf("local", "on-link")).toEqual([135, 136]);
  expect(icmpv6TypesOf("local", "listener")).toEqual([130, 131, 132, 143, 151, 152, 153]);
});
