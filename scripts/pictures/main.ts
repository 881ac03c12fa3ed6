// `npm run pictures`: runs a lab, as root and on a machine that has what the lab needs, and makes of that one run what
// README.md shows of it: pictures of the page in docs/pictures/ and the session between README.md's marks. So neither can
// show what the other has not. The page is left out, and said, where the project has none.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takePictures } from "./browser.ts";
import { askLab, type Lab } from "./lab.ts";

const project = join(import.meta.dirname, "../..");
process.chdir(project);

/** Runs a verb and gives what a person sees: both streams in one. Throws when it fails. */
function say(...words: readonly string[]): string {
  const ran = spawnSync("sh", ["-c", '"$0" "$@" 2>&1', "./sixgate", ...words], { encoding: "utf8" });
  if (ran.status === 0) return ran.stdout;
  throw new Error(`sixgate ${words.join(" ")} ended with ${ran.status ?? ran.signal}:\n${ran.stdout}`);
}

/** The code of a login link is a secret for five minutes, and of no use to a reader. */
function recorded(...words: readonly string[]): string {
  return `# ./sixgate ${words.join(" ")}\n${say(...words).replaceAll(/#code=[\w-]+/g, "#code=…")}`;
}

/** What is on the pictures besides what containers ask for: an opening with an end, and somebody who is turned away. */
function somethingToSee(): void {
  say("open", "vm1/plain", "8080", "--for", "2h", "--because", "a look at the new version", "--lab");
  say("open", "vm1/web", "8443", "--from", "office", "--for", "30m", "--because", "certificate test", "--lab");
  say("probe", "vm1/db:5432", "--lab");
}

/** Puts a text between README.md's marks of that name. */
function intoReadme(mark: string, text: string): void {
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const readme = readFileSync("README.md", "utf8");
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md has no marks for the ${mark}`);
  writeFileSync("README.md", `${readme.slice(0, from + begin.length)}\n${text}\n${readme.slice(to)}`);
}

/** Light or dark as the reader has it, where the page that shows README.md can do that. */
function pictureMarkup(screen: string, words: string): string {
  const path = `docs/pictures/${screen}`;
  return `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="${path}-dark.png">
  <img alt="${words}" src="${path}-light.png">
</picture>`;
}

const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Readonly<Record<string, string>> };
const hasPage = scripts["build:page"] !== undefined;
if (hasPage) {
  const built = spawnSync("npm", ["run", "--silent", "build:page"], { stdio: "inherit" });
  if (built.status !== 0) throw new Error("npm run build:page failed");
}
const session: string[] = [];
try {
  session.push(recorded("lab", "up", "--detach"));
  session.push(recorded("why", "vm1/hello:8080", "--lab"));
  session.push(recorded("verify", "--lab"));
  if (hasPage) {
    somethingToSee();
    const lab: Lab = askLab(say("lab", "status", "--json"));
    for (const path of await takePictures(lab, join(project, "docs/pictures"))) process.stdout.write(`${path}\n`);
  } else process.stdout.write("no page in this project: no pictures\n");
} catch (error) {
  spawnSync(join(project, "sixgate"), ["lab", "down"]);
  throw error;
}
session.push(recorded("lab", "down"));
intoReadme("session", `\`\`\`\n${session.join("\n")}\`\`\``);
if (hasPage)
  intoReadme(
    "picture",
    pictureMarkup("map", "The page's map of the lab: from the Internet through the gateway to hosts and containers"),
  );
