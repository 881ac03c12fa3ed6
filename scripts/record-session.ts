// Records `./sixgate lab up --detach` and puts what it printed into README.md, between its marks: a session that was
// really run. As root, on a machine that has what the lab needs: the installing of packages is not part of it.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

function run(words: readonly string[]): string {
  const [program = "", ...args] = words;
  // One stream, as a person sees it.
  const ran = spawnSync("sh", ["-c", '"$0" "$@" 2>&1', program, ...args], { encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`${words.join(" ")} ended with ${ran.status}:\n${ran.stdout}`);
  return ran.stdout;
}

const [begin, end] = ["<!-- session -->", "<!-- /session -->"];
const up = run(["./sixgate", "lab", "up", "--detach"]);
const down = run(["./sixgate", "lab", "down"]);
const session = `\`\`\`\n# ./sixgate lab up --detach\n${up}\n# ./sixgate lab down\n${down}\`\`\``;
const readme = readFileSync("README.md", "utf8");
const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
if (from < 0 || to < from) throw new Error("README.md has no marks for the session");
writeFileSync("README.md", `${readme.slice(0, from + begin.length)}\n${session}\n${readme.slice(to)}`);
