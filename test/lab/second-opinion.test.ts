import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Machine } from "../machine.ts";
import { noMachine } from "../machine.ts";
import { startArena } from "../opinion/arena.ts";
import { compare, newTally } from "../opinion/opinion.ts";
import { questions } from "../opinion/questions.ts";

const missing = await noMachine(["nft", "python3"]);
let machine: Machine | undefined;

beforeAll(async () => {
  if (missing === undefined) machine = await startArena();
});
afterAll(async () => {
  await machine?.stop();
});

/** Rulesets; 48 packets each. */
const rounds = Number(process.env["OPINIONS"] ?? 60);

test.skipIf(missing !== undefined)(
  "random rulesets decide as the kernel does, packet by packet",
  { timeout: 3_600_000 },
  async () => {
    if (machine === undefined) throw new Error("no arena");
    const tally = newTally();
    const seed = Number(process.env["OPINION_SEED"] ?? Date.now() & 0xffff);
    const all = fc.sample(questions, { numRuns: rounds, seed });
    for (let at = 0; at < all.length; at += 20) await compare(machine, all.slice(at, at + 20), tally);
    const { disagreements, ...counts } = tally;
    console.log(`seed ${seed}: ${JSON.stringify(counts)}, ${disagreements.length} disagreements`);
    if (process.env["OPINION_OUT"] !== undefined)
      await writeFile(process.env["OPINION_OUT"], JSON.stringify(disagreements));
    expect(disagreements.slice(0, 2)).toEqual([]);
    expect(counts.accepted).toBeGreaterThan(counts.packets / 20);
  },
);
