// Records a lab, a look at an opening and the proof, and puts what they printed into README.md, between its marks: a session that was
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
const calls: readonly (readonly string[])[] = [
  ["lab", "up", "--detach"],
  ["why", "vm1/hello:8080", "--lab"],
  ["verify", "--lab"],
  ["lab", "down"],
];
const said = calls.map((words) => `# ./sixgate ${words.join(" ")}\n${run(["./sixgate", ...words])}`);
const session = `\`\`\`\n${said.join("\n")}\`\`\``;
const readme = readFileSync("README.md", "utf8");
const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
if (from < 0 || to < from) throw new Error("README.md has no marks for the session");
writeFileSync("README.md", `${readme.slice(0, from + begin.length)}\n${session}\n${readme.slice(to)}`);
