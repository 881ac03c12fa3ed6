import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bashCompletion } from "../../src/cli/completion/bash.ts";
import { fishCompletion } from "../../src/cli/completion/fish.ts";
import { verbTree } from "../../src/cli/completion/verb-tree.ts";
import { zshCompletion } from "../../src/cli/completion/zsh.ts";
import { makeProgram } from "../../src/cli/program.ts";
import { runProcess } from "../../src/runtime/process.ts";
import { inFolder, sixgate } from "./run.ts";

const tree = verbTree(makeProgram(() => Promise.resolve()));

test("verbTree has each verb once, with what its options take", () => {
  const paths = tree.map(({ path }) => path.join(" "));
  expect(new Set(paths).size).toBe(paths.length);
  expect(paths).toEqual(expect.arrayContaining(["", "apply", "lab up", "token create"]));
  const of = (path: string, option: string): unknown =>
    tree.find((each) => each.path.join(" ") === path)?.options.find(({ names }) => names.includes(option))?.value;
  expect(of("token create", "--role")).toEqual(["viewer", "operator", "admin"]);
  expect(of("render", "--out")).toBe("folder");
  expect(of("plan", "-f")).toBe("file");
  expect(of("plan", "--lab")).toBeUndefined();
  expect(of("plan", "-C")).toBe("folder");
});

test("sixgate completion prints a script, and refuses a shell that it has none for", async () => {
  expect((await sixgate(["completion", "bash"])).out).toBe(bashCompletion(tree));
  expect((await sixgate(["completion", "zsh"])).out).toBe(zshCompletion(tree));
  expect((await sixgate(["completion", "fish"])).out).toBe(fishCompletion(tree));
  const said = await sixgate(["completion", "csh"]);
  expect(said.code).toBe(64);
  expect(said.err).toContain("bash, zsh, fish");
});

type Case = readonly [line: string, offered: readonly string[], notOffered: readonly string[]];

/** What is typed, the last word being the one to complete; some of what has to be offered, and must not be. */
const cases: readonly Case[] = [
  ["sixgate ap", ["apply"], ["plan"]],
  ["sixgate lab d", ["down", "docker"], ["doctor", "diff"]],
  ["sixgate -C /tmp lab u", ["up"], ["lab"]],
  ["sixgate token create --role v", ["viewer"], ["admin"]],
  ["sixgate token create --r", ["--role"], ["--json"]],
  ["sixgate plan --det", ["--detailed-exitcode"], ["--yes"]],
  ["sixgate plan -f fl", ["fleet.yaml"], ["folder"]],
  ["sixgate completion b", ["bash"], ["zsh"]],
];

type Ask = (line: string, script: string, folder: string) => Promise<readonly string[]>;

async function linesOf(argv: readonly string[], folder: string): Promise<readonly string[]> {
  // Shells write into their homes: each has one that goes with the folder.
  const home = join(folder, ".home");
  const own = [`HOME=${home}`, `XDG_CONFIG_HOME=${home}`, `XDG_DATA_HOME=${home}`, `XDG_CACHE_HOME=${home}`];
  const ran = await runProcess("local", ["env", "-C", folder, ...own, ...argv], { timeout: 30_000 });
  expect(ran, ran.stderr).toMatchObject({ code: 0, stderr: "" });
  return ran.stdout.split("\n").filter((each) => each !== "");
}

const quoted = (text: string): string => `'${text}'`;

const askBash: Ask = (line, script, folder) => {
  const words = line.split(" ");
  const asking = `. ${script}; COMP_WORDS=(${words.map(quoted).join(" ")}); COMP_CWORD=${words.length - 1}
    complete -p sixgate >/dev/null; _sixgate 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return linesOf(["bash", "--norc", "-uc", asking], folder);
};

/** Without a terminal there is no line editor in zsh: what would be offered to it is printed by stand-ins of its own. */
const askZsh: Ask = (line, script, folder) => {
  const words = line.split(" ");
  const asking = `compdef() { }; . ${script}
    offer() { for each in "$@"; do if [[ $each == \${words[CURRENT]}* ]]; then print -r -- $each; fi; done }
    compadd() { shift; offer "$@" }
    _describe() { offer \${(P)\${@[-1]}%%:*} }
    _files() { offer *(N) }
    words=(${words.map(quoted).join(" ")}); CURRENT=${words.length}; _sixgate`;
  return linesOf(["zsh", "-fuc", asking], folder);
};

const askFish: Ask = async (line, script, folder) => {
  const said = await linesOf(["fish", "-Nc", `source ${script}; complete -C ${quoted(line)}`], folder);
  return said.map((each) => each.replace(/\t.*/, ""));
};

const shells = (
  await runProcess("local", [
    "sh",
    "-c",
    "for each in bash zsh fish; do command -v $each >/dev/null && echo $each; done; true",
  ])
).stdout.split("\n");

describe.each([
  ["bash", bashCompletion(tree), askBash],
  ["zsh", zshCompletion(tree), askZsh],
  ["fish", fishCompletion(tree), askFish],
] as const)("completion in %s", (shell, text, ask) => {
  test.skipIf(!shells.includes(shell)).each(cases)("%s", async (line, offered, not) => {
    await inFolder(async (folder) => {
      const script = join(folder, "completion.script");
      writeFileSync(script, text);
      writeFileSync(join(folder, "fleet.yaml"), "");
      const said = await ask(line, script, folder);
      expect(said).toEqual(expect.arrayContaining([...offered]));
      expect(said.filter((each) => not.includes(each))).toEqual([]);
    });
  });
});
