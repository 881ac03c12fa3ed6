import { describe, expect, test } from "vitest";
import { Ordering } from "./order.ts";

type Entry = { readonly n: number; readonly name: string };
const byN = ({ n }: Entry): number => n;
const byName = ({ name }: Entry): string => name;
const entries: readonly Entry[] = [
  { n: 2, name: "b" },
  { n: 3, name: "a" },
  { n: 1, name: "c" },
];
const names = (all: readonly Entry[]): string => all.map(({ name }) => name).join("");

describe("Ordering", () => {
  test("leaves entries as they are without an order", () => {
    expect(new Ordering<Entry>().of(entries, undefined, undefined)).toBe(entries);
  });

  test("sorts by the column's key, both ways, and by another column", () => {
    const ordering = new Ordering<Entry>();
    expect(names(ordering.of(entries, { by: "n", isDown: false }, byN))).toBe("cba");
    expect(names(ordering.of(entries, { by: "n", isDown: true }, byN))).toBe("abc");
    expect(names(ordering.of(entries, { by: "name", isDown: true }, byName))).toBe("cba");
  });

  test("takes what comes and goes into the order, and keeps equal ones as they were", () => {
    const ordering = new Ordering<Entry>();
    ordering.of(entries, { by: "n", isDown: false }, byN);
    const [b, a] = entries;
    const later = [{ n: 2, name: "d" }, b, a].filter((each) => each !== undefined);
    expect(names(ordering.of(later, { by: "n", isDown: false }, byN))).toBe("bda");
  });

  test("agrees with a plain sort over many rounds of changes", () => {
    const ordering = new Ordering<Entry>();
    let all: Entry[] = [];
    for (let round = 0; round < 50; round += 1) {
      all = all.filter((_, at) => (at * 7 + round) % 5 !== 0);
      for (let n = 0; n < 20; n += 1) all.push({ n: (n * 7919 + round * 104_729) % 1009, name: `${round}/${n}` });
      const sorted = ordering.of(all, { by: "n", isDown: round % 9 === 0 }, byN);
      const sign = round % 9 === 0 ? -1 : 1;
      expect(sorted.map(byN)).toEqual(all.map(byN).sort((x, y) => sign * (x - y)));
      expect(new Set(sorted)).toEqual(new Set(all));
    }
  });
});
