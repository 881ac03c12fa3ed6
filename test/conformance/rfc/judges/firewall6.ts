import type { Bench } from "../bench.ts";
import type { Depth, Procedure } from "../procedures.ts";
import { letRun, toolFault } from "./tool.ts";

/** Its last test is eleven, of ordinary packets from well-known ports; each waits four seconds for an answer. */
const last: Readonly<Record<Depth, number>> = { full: 39, quick: 38 };

export const firewall6Closed: Procedure = {
  says: "all of its tests, over TCP and UDP, twelve at a time; in `npm test` without the last, of ordinary packets",
  run(bench, depth) {
    const lines = ["", "-u "].map(
      (mode) => `seq ${last[depth]} | xargs -P 12 -I% atk6-firewall6 ${mode}eth0 {shut} 8080 %`,
    );
    return toolFault(bench, { from: "internet", run: `${lines.join(" & ")}; wait`, seconds: 200, reaches: 100 }, depth);
  },
};

/** Ordinary packets, also with destination headers or as an atomic fragment. */
const passes = ["1", "2", "6", "8", "10", ..."abcdefghijk".split("").map((letter) => `39${letter}`)];
/** Another protocol in the frame, hop-by-hop headers, fragment headers one behind the other, overlapping fragments. */
const stops = ["3", "4", "5", "7", "11", "12", "13", "14", "15", "16", "17", "18", "25", "26"];
/** What `npm test` has time for: those that pass are answered at once. */
const few = ["1", "6", "10", "39", "5", "26"];

export const firewall6Open: Procedure = {
  says: `tests ${passes.slice(0, 5).join(", ")} and 39 have to be answered, ${stops.join(", ")} must not, the rest may; in \`npm test\` ${few.join(", ")}`,
  async run(bench, depth) {
    const answered = await answersOf(bench, depth);
    const asked = (name: string): boolean => answered.has(name);
    const missing = passes.filter((name) => asked(name) && answered.get(name) !== true);
    const wrong = stops.filter((name) => asked(name) && answered.get(name) === true);
    if (passes.filter(asked).length < 4) return "it did not ask";
    if (missing.length > 0) return `not answered: ${missing.join(", ")}`;
    return wrong.length > 0 ? `answered: ${wrong.join(", ")}` : undefined;
  },
};

/** Whether each test got a TCP answer. */
async function answersOf(bench: Bench, depth: Depth): Promise<ReadonlyMap<string, boolean>> {
  const command = "atk6-firewall6 eth0 {web} 443";
  const line = depth === "full" ? command : few.map((test) => `${command} ${test}`).join("; ");
  const said = await letRun(bench, { from: "internet", run: line }, 400, 100_000);
  const answers = new Map<string, boolean>();
  for (const [, name = "", rest = ""] of said.matchAll(/^Test +(\d+[a-k]?): (.*)$/gm)) {
    answers.set(name, rest.includes("SYN-ACK received"));
  }
  return answers;
}
