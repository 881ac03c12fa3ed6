import fc from "fast-check";
import { expect, test } from "vitest";
import { type Line, LineSplitter } from "./line-splitter.ts";

/** The bytes cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, n) => bytes.subarray(n === 0 ? 0 : ends[n - 1], end));
}

test("LineSplitter gives the same lines however the bytes are cut, also inside of a character", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary", maxLength: 20 }).map((text) => text.replaceAll("\n", ""))),
      fc.array(fc.nat(), { maxLength: 20 }),
      (lines, places) => {
        const splitter = new LineSplitter(1_000);
        const text = lines.map((line) => `${line}\n`).join("");
        // Bytes that are no UTF-8, such as halves of surrogates, come out as they came in.
        const sane = Buffer.from(text)
          .toString()
          .split("\n")
          .filter((line) => line !== "");
        const got = cut(Buffer.from(text), places).flatMap((chunk) => [...splitter.push(chunk)]);
        expect(got).toEqual(sane.map((line) => ({ kind: "line", text: line })));
      },
    ),
  );
});

test("LineSplitter tells of a line that is too long once, keeps none of it, and goes on behind it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40 }), fc.array(fc.nat(), { maxLength: 10 }), (length, places) => {
      const splitter = new LineSplitter(16);
      const chunks = cut(Buffer.from(`a\n${"x".repeat(length)}\nb\n`), places);
      const got: Line[] = chunks.flatMap((chunk) => [...splitter.push(chunk)]);
      const middle: Line[] =
        length === 0 ? [] : length < 16 ? [{ kind: "line", text: "x".repeat(length) }] : [{ kind: "too-long" }];
      expect(got).toEqual([{ kind: "line", text: "a" }, ...middle, { kind: "line", text: "b" }]);
    }),
  );
});
