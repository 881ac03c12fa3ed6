import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { betweenMarks } from "../../scripts/pictures/marks.ts";
import { inLab, lasting, recorded, sessionCommands } from "../../scripts/pictures/session.ts";
import { engineFor } from "../../src/lab/engines.ts";
import { sixgate } from "../cli/run.ts";
import { readPage, type ShownCommand, shownCommands } from "../manual-commands.ts";
import { isRoot } from "./harness.ts";

// The commands of README.md's blocks, one after another, in a lab of its own name beside any other.
const name = "readme-test";

const reason = !isRoot
  ? "needs root"
  : await engineFor(process.env["SIXGATE_ENGINE"], () => undefined).then(
      () => undefined,
      (error: unknown) => `no Docker engine: ${String(error)}`,
    );

/** As it stands there, but for the lab's name and that `lab up` does not stay. */
function inOwnLab({ words }: ShownCommand): readonly string[] {
  const [verb, second] = words;
  return inLab(verb === "lab" && second === "up" ? ["lab", "up", "--detach"] : words, name);
}

function down(lab: string): void {
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  spawnSync(process.execPath, [main, "lab", "down", "--name", lab]);
}

test.skipIf(reason !== undefined)(
  `README.md's commands work one after another${reason === undefined ? "" : ` (${reason})`}`,
  async () => {
    const shown = shownCommands("README.md").filter(
      ({ program, words }) => program === "sixgate" && (words[0] === "lab" || words.includes("--lab")),
    );
    expect(shown.map(({ words }) => words[0])).toEqual(
      expect.arrayContaining(["lab", "openings", "why", "open", "audit"]),
    );
    const begun = shown.filter(({ words }) => words[0] === "lab" && words[1] === "up").length;
    expect(begun).toBe(1);
    try {
      for (const command of shown) {
        const said = await sixgate(inOwnLab(command));
        expect(said, `${command.at} ${command.text}\n${said.err}`).toMatchObject({ code: 0 });
      }
    } finally {
      down(name);
    }
  },
);

test.skipIf(reason !== undefined)(
  `README.md's session says what sixgate says today${reason === undefined ? "" : ` (${reason})`}`,
  async () => {
    const lab = "readme-session";
    const wanted = (betweenMarks(readPage("README.md"), "session") ?? "").replace(/^```\n|```$/g, "");
    const said: string[] = [];
    try {
      for (const words of sessionCommands) {
        // Both streams in one, as a person sees them.
        const ran = spawnSync("sh", ["-c", '"$0" "$@" 2>&1', "./sixgate", ...inLab(words, lab)], { encoding: "utf8" });
        expect(ran.status, `${words.join(" ")}\n${ran.stdout}`).toBe(0);
        said.push(recorded(words, ran.stdout, lab));
        if (words.includes("run")) await expect.poll(() => decided(words, lab), { timeout: 20_000 }).toBe(true);
      }
    } finally {
      down(lab);
    }
    expect(lasting(said.join("\n")), "run `npm run pictures` as root").toBe(lasting(wanted));
  },
  // Two labs in this file, and a busy machine takes a minute for each of them.
  400_000,
);

/** Whether the controller has said yes or no to what a container of the session asks for. */
async function decided(words: readonly string[], lab: string): Promise<boolean> {
  const container = words[words.indexOf("--name") + 1] ?? "";
  const port = words.at(-1) ?? "";
  const why = await sixgate(["why", `vm1/${container}:${port}`, "--lab", lab]);
  return /(?:The gateway lets|E912)/.test(why.out);
}
