// `npm run pictures`: runs a lab, as root and on a machine that has what the lab needs, and makes of that one run what
// README.md and docs/page.md show of it: pictures of the page in docs/pictures/ and the session between README.md's marks.
// So neither can show what the other has not. Nothing is written before all of it is there.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takePictures } from "./browser.ts";
import { addressesOf, gatewayPid, loginLink, until } from "./lab.ts";
import { withBetween } from "./marks.ts";
import { endInOrder, ran, sixgate } from "./run.ts";
import { folder, withPictures } from "./screens.ts";
import { inLab, labName, recorded, sessionCommands } from "./session.ts";

const project = join(import.meta.dirname, "../..");
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** What has to be there, said before anything is begun. */
async function missing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "a lab with Docker engines needs root: sudo npm run pictures";
  const found = await ran("sh", ["-c", "command -v chromium"]);
  return found.code === 0 ? undefined : "no chromium: apt-get install chromium";
}

/** What is on the pictures besides the session's containers: a person's opening with an end, and who was turned away. */
async function somethingToSee(): Promise<void> {
  const reason = ["--because", "a look at the new version"];
  await sixgate(["open", "vm1/plain", "8080", "--for", "2h", ...reason, "--lab", labName]);
  // As lab up did for what was open then: the map is green where a packet came through of late.
  for (const to of await addressesOf(["plain", "shop"])) await sixgate(["probe", `[${to}]:8080`, "--lab", labName]);
  await sixgate(["probe", "vm1/db:5432", "--lab", labName]);
  await sixgate(["probe", "vm2/api:22", "--from", "office", "--lab", labName]);
}

/** The session, and the pictures while its lab still runs. */
async function madeOfOneRun(): Promise<{ readonly session: string; readonly pictures: ReadonlyMap<string, Buffer> }> {
  const session: string[] = [];
  const record = async (words: readonly string[]): Promise<void> => {
    session.push(recorded(words, await sixgate(inLab(words, labName)), labName));
  };
  const [end = [], ...before] = sessionCommands.toReversed();
  for (const words of before.toReversed()) {
    await record(words);
    // The agent tells of a container by itself, a moment later.
    if (words.includes("run")) await until(words[words.indexOf("--name") + 1] ?? "", await gatewayPid());
  }
  await somethingToSee();
  say("pictures of the page");
  const pictures = await takePictures(await loginLink(), say);
  await record(end);
  return { session: `\`\`\`\n${session.join("\n")}\`\`\``, pictures };
}

function write({ session, pictures }: Awaited<ReturnType<typeof madeOfOneRun>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, png] of pictures) writeFileSync(join(folder, name), png);
  change("README.md", (page) => withPictures(withBetween(page, "session", session), folder));
  change("docs/page.md", (page) => withPictures(page, "pictures"));
}

function change(path: string, to: (page: string) => string): void {
  writeFileSync(path, to(readFileSync(path, "utf8")));
}

process.chdir(project);
endInOrder();
const lacking = await missing();
if (lacking !== undefined) {
  say(`npm run pictures: ${lacking}`);
  process.exit(1);
}
try {
  say("the page");
  const built = await ran("npm", ["run", "--silent", "build:page"]);
  if (built.code !== 0) throw new Error(`npm run build:page ended with ${built.code}:\n${built.said}`);
  say(`a lab of the name ${labName}`);
  // What a killed run left.
  await sixgate(inLab(["lab", "down"], labName));
  write(await madeOfOneRun());
  say(`written: README.md and ${folder}`);
} catch (error) {
  say(`npm run pictures: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  // Whatever became of it; on a lab that is down already it does nothing.
  await ran("./sixgate", inLab(["lab", "down"], labName));
}
