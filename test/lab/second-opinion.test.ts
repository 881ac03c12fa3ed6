import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nftables } from "../../src/drivers/nftables/driver.ts";
import { derived, fleetText } from "../conformance/states.ts";
import type { Machine } from "../machine.ts";
import { noMachine } from "../machine.ts";
import { startArena } from "../opinion/arena.ts";
import { compare, newTally } from "../opinion/opinion.ts";
import { questions, questionsOf } from "../opinion/questions.ts";

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

test.skipIf(missing !== undefined)("our own rules decide as the kernel does", { timeout: 600_000 }, async () => {
  if (machine === undefined) throw new Error("no arena");
  const openings =
    '[{ to: "2001:db8:1:0:20::80", ports: [80, 443/udp, 1024-8080, ping], from: any }, { to: "2001:db8:1:0:2f:ffff:ffff:ffff", ports: [22, 53/udp], from: "2001:db8:a::/64" }]';
  const text = fleetText({ openings }).replace("prefix: 2001:db8:1234:321d::/64", "prefix: 2001:db8:1::/64");
  const gateway = derived(text).find((each) => each.layer === "gateway");
  if (gateway === undefined) throw new Error("no gateway");
  const boot = nftables.render(gateway).find((file) => file.path.endsWith("boot.nft"));
  const own = fc.constant({ setup: boot?.text ?? "", rules: [] });
  const tally = newTally();
  await compare(machine, fc.sample(questionsOf(own), { numRuns: 20, seed: 7 }), tally);
  expect(tally.disagreements.slice(0, 2)).toEqual([]);
  expect(tally.accepted).toBeGreaterThan(5);
});
