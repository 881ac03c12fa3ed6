import fc from "fast-check";
import { expect, test } from "vitest";
import { idOf, reportOf } from "../../test/trust.ts";
import { type AgentFrame, deltaLines, readAgentFrame, snapshotLines } from "./frames.ts";
import { lineCap } from "./wire.ts";

/** Reports of any size that a report may have, as JSON. */
const texts = fc
  .array(fc.record({ label: fc.nat(4_000), wide: fc.boolean() }), { maxLength: 60, size: "max" })
  .map((all) =>
    all.map(({ label, wide }, n) =>
      JSON.stringify(
        reportOf(n, { labels: { "sixgate.open": (wide ? "\u{1f600}" : "x").repeat(wide ? label >> 1 : label) } }),
      ),
    ),
  );

function counter(): () => number {
  let s = 0;
  return () => {
    s++;
    return s;
  };
}

function read(lines: Iterable<string>): readonly AgentFrame[] {
  return [...lines].map((line) => {
    expect(Buffer.byteLength(line)).toBeLessThan(lineCap);
    expect(line.endsWith("\n")).toBe(true);
    return readAgentFrame(line.trimEnd());
  });
}

test("snapshotLines keep to the line's cap, are numbered without a gap, and hold every report once", () => {
  fc.assert(
    fc.property(texts, (reports) => {
      const frames = read(snapshotLines(reports, { engine: "28.5", api: "1.51" }, counter()));
      expect(frames.map((frame) => "s" in frame && frame.s)).toEqual(frames.map((_, n) => n + 1));
      expect(frames[0]).toMatchObject({ t: "begin" });
      expect(frames.at(-1)).toMatchObject({ t: "end", count: reports.length });
      const put = frames.flatMap((frame) => (frame.t === "part" ? frame.put : []));
      expect(put).toEqual(reports.map((text) => JSON.parse(text) as unknown));
    }),
    { numRuns: 50 },
  );
});

test("deltaLines are one line where they can, else some, and lose nothing", () => {
  fc.assert(
    fc.property(texts, fc.nat(2_000), (reports, gone) => {
      const ids = Array.from({ length: gone }, (_, n) => idOf(n));
      const frames = read(deltaLines(reports, ids, 1_700_000_000_000.25, counter()));
      const deltas = frames.filter((frame) => frame.t === "delta");
      expect(deltas).toHaveLength(frames.length);
      expect(deltas.flatMap((frame) => frame.gone)).toEqual(ids);
      expect(deltas.flatMap((frame) => frame.put)).toEqual(reports.map((text) => JSON.parse(text) as unknown));
      expect(deltas.every((frame) => frame.at === 1_700_000_000_000.25)).toBe(true);
    }),
    { numRuns: 50 },
  );
  // An address that changes hands: both in one step.
  expect(read(deltaLines([JSON.stringify(reportOf(1))], [idOf(2)], undefined, counter()))).toHaveLength(1);
});
