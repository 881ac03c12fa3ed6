import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { engineFor } from "../../src/lab/engines.ts";
import { sixgate } from "../cli/run.ts";
import { type ShownCommand, shownCommands } from "../manual-commands.ts";
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
  const [verb, second, ...rest] = words;
  if (verb === "lab" && second === "up") return ["lab", "up", "--name", name, "--detach"];
  if (verb === "lab") return ["lab", second ?? "", "--name", name, ...rest];
  return words.flatMap((word) => (word === "--lab" ? ["--lab", name] : [word]));
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
      spawnSync(process.execPath, [
        new URL("../../src/cli/main.ts", import.meta.url).pathname,
        "lab",
        "down",
        "--name",
        name,
      ]);
    }
  },
);
