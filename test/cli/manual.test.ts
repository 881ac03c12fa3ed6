import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { cutPassed } from "../../src/cli/lab.ts";
import { makeProgram } from "../../src/cli/program.ts";
import { parseFleet } from "../../src/fleet/parse-fleet.ts";
import { manualPages, readPage, type ShownCommand, shownCommands } from "../manual-commands.ts";
import { inFolder, sixgate } from "./run.ts";

// What the manual shows: each command in a block marked `sh` is run here, or by test/lab/readme.test.ts, or there is a
// reason why no test can. Each of sixgate's is at least understood: its verb, options and arguments exist.

/** Run here, in a folder with the page's own fleet file or else the article's. */
const offline = ["init", "validate", "explain", "addr", "render", "completion"];

/** Why others are not: what they need besides this checkout. */
const reasons: Readonly<Record<string, string>> = {
  "sixgate doctor": "judges the reader's machine and devices",
  "sixgate plan": "needs the reader's devices",
  "sixgate apply": "changes the reader's devices",
  "sixgate diff": "needs the reader's devices",
  "sixgate graph": "--live needs a controller; test/golden/graph draws fleet files",
  "sixgate import": "reads the reader's devices; test/cli and test/golden have each importer",
  "sixgate controller": "needs a gateway; test/cli/controller-process.test.ts",
  "sixgate agent": "needs an engine; test/lab/agent.test.ts",
  "sixgate enrol": "needs a controller; test/lab/agent.test.ts",
  "sixgate verify": "needs a gateway; test/lab/verify.test.ts",
  "sixgate exposure": "needs a gateway; test/lab/verify.test.ts",
  "sixgate test": "needs a gateway; test/lab/verify.test.ts",
  "sixgate probe": "needs a network; test/lab/verbs.test.ts",
  "sixgate lab": "needs namespaces; test/lab/readme.test.ts and test/lab/verbs.test.ts",
  ...Object.fromEntries(
    ["open", "close", "openings", "why", "status", "watch", "audit", "invite", "revoke", "token", "page"].map(
      (verb) => [`sixgate ${verb}`, "needs a controller; test/cli/controller.test.ts, test/lab/openings.test.ts"],
    ),
  ),
  npm: "the project's own gates: CI runs them",
  sh: "the project's own scripts: CI runs them",
  git: "works on the reader's checkout",
  "apt-get": "installs on the reader's machine; test/package does it in a root of its own",
  systemctl: "needs systemd as process 1; test/package has systemd judge the units",
  journalctl: "needs systemd as process 1",
  useradd: "changes the reader's machine",
  install: "changes the reader's machine; test/package does it in a root of its own",
  setpriv: "needs a controller to enrol at; test/package runs the controller that way",
  pveum: "works on the reader's Proxmox node",
  openssl: "reads a certificate on the reader's Proxmox node",
  docker: "needs an engine and an image from the Internet; test/lab has the same with its own image",
  curl: "needs a running controller; src/web has each route",
  cd: "goes to the reader's folder",
  cp: "puts files of the reader's machine back",
  networkctl: "reloads the reader's own links",
  mkdir: "a hook of the reader's DHCPv6 client",
  printf: "a hook of the reader's DHCPv6 client",
};

const all = manualPages().flatMap(shownCommands);
const own = all.filter(({ program }) => program === "sixgate");

function fleetsOf(page: string): readonly string[] {
  const blocks = [...readPage(page).matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, block = ""]) => block);
  return blocks.filter((block) => /^sixgate: 1$/m.test(block));
}

test("the manual shows commands", () => {
  expect(all.length).toBeGreaterThan(40);
});

test.each(own)("$at sixgate understands: $text", async ({ words }) => {
  // `…` stands for what the reader puts there.
  const { own: argv, passed } = cutPassed(["node", "sixgate", ...words.filter((word) => word !== "…")]);
  const run = makeProgram(() => Promise.resolve(), passed).parseAsync(argv);
  await run.catch((error: unknown) => {
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  });
});

const isOffline = ({ program, words }: ShownCommand): boolean =>
  program === "sixgate" && offline.includes(words[0] ?? "");

test.each(all.filter((each) => !isOffline(each)))(
  "$at has a reason not to be run here: $text",
  ({ program, words }) => {
    const name = program === "sixgate" ? `sixgate ${words[0]}` : program;
    expect(Object.keys(reasons), `run it in a test, or say in this file why not: ${name}`).toContain(name);
  },
);

test.each(all.filter(isOffline))("$at runs: $text", async ({ page, words }) => {
  await inFolder(async (folder) => {
    const [fleet] = fleetsOf(page);
    if (words[0] !== "init") writeFileSync(join(folder, "fleet.yaml"), fleet ?? readPage("examples/article.yaml"));
    const said = await sixgate(words, words.includes("-f") ? {} : { cwd: folder });
    expect(said, said.err).toMatchObject({ code: 0 });
  });
});

describe("fleet files that the manual shows", () => {
  const shown = manualPages().flatMap((page) => fleetsOf(page).map((text) => [page, text] as const));
  test.each(shown)("%s: a whole one is valid", (page, text) => {
    const parsed = parseFleet(text, page);
    expect(parsed.ok ? [] : parsed.errors).toEqual([]);
  });
});
