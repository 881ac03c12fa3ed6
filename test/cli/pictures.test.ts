import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { betweenMarks, withBetween } from "../../scripts/pictures/marks.ts";
import { readPng, writePng } from "../../scripts/pictures/png.ts";
import { fileOf, folder, schemes, screens, viewport, withPictures } from "../../scripts/pictures/screens.ts";
import { commandsOf, inLab, lasting, recorded, sessionCommands } from "../../scripts/pictures/session.ts";
import { cutPassed } from "../../src/cli/lab.ts";
import { makeProgram } from "../../src/cli/program.ts";
import { against } from "../conformance/drivers/against.ts";
import { readPage } from "../manual-commands.ts";

// What `npm run pictures` writes is as the script would write it now, as far as that can be seen without a lab: the session
// has its commands, the pages its pictures, the folder those files and no others. test/lab/readme.test.ts runs the session.

const project = join(import.meta.dirname, "../..");
const files = screens.flatMap(({ name }) => schemes.map((scheme) => fileOf(name, scheme)));
const again = "run `npm run pictures` as root";

test("README.md's session has the script's commands, in their order", () => {
  const session = betweenMarks(readPage("README.md"), "session") ?? "";
  expect(commandsOf(session), again).toEqual(sessionCommands.map((words) => words.join(" ")));
});

test.each(sessionCommands.map((words) => [words.join(" "), words] as const))(
  "sixgate understands a command of the session: %s",
  async (_, words) => {
    const { own, passed } = cutPassed(["node", "sixgate", ...inLab(words, "any")]);
    const run = makeProgram(() => Promise.resolve(), passed).parseAsync(own);
    await run.catch((error: unknown) => {
      if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
    });
  },
);

test.each([
  ["README.md", folder, ["map"]],
  ["docs/page.md", "pictures", screens.map(({ name }) => name)],
] as const)("%s shows its pictures, light and dark, where the script puts them", (page, at, names) => {
  const text = readPage(page);
  expect(withPictures(text, at), again).toBe(text);
  const shown = [...text.matchAll(/(?:src|srcset)="([^"]+)"/g)].map(([, path = ""]) => path);
  const wanted = names.flatMap((name) => [`${at}/${fileOf(name, "dark")}`, `${at}/${fileOf(name, "light")}`]);
  expect(shown.toSorted()).toEqual(wanted.toSorted());
});

test.each(Object.entries(against).filter(([, { level }]) => level !== "reference"))(
  "README.md's table of devices has the level of the driver %s as the conformance suite has it",
  (name, { level }) => {
    const rows = readPage("README.md")
      .split("\n")
      .filter((line) => line.startsWith("|") && line.includes(`| \`${name}\` |`));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatch(new RegExp(`\\| (?:\\[${level}\\]\\([^)]+\\)|${level}) \\|`));
  },
);

test("docs/pictures has the script's pictures and nothing else", () => {
  expect(readdirSync(join(project, folder)).sort(), again).toEqual(files.toSorted());
});

test.each(files)("%s is a picture of the page's size that shows something, and no heavy one", (file) => {
  const path = join(project, folder, file);
  expect(statSync(path).size).toBeLessThan(150 * 1024);
  const png = readFileSync(path);
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([viewport.width, viewport.height]);
  // A blank page is some 5 kB.
  expect(png.length).toBeGreaterThan(15 * 1024);
});

describe("the parts of the script", () => {
  test("inLab names the lab and nothing else", () => {
    expect(inLab(["lab", "docker", "vm1", "ps"], "x")).toEqual(["lab", "docker", "--name", "x", "vm1", "ps"]);
    expect(inLab(["why", "vm1/web:80", "--lab"], "x")).toEqual(["why", "vm1/web:80", "--lab", "x"]);
  });

  test("recorded has neither a login's code nor the lab's own name, nor what a first run fetches", () => {
    const said = 'apt-get download a\nsixgate 1\nPAGE  http://127.0.0.1:1/#code=Ab-_9\nlab "x" --lab x --name x\n';
    expect(recorded(["lab", "up"], said, "x")).toBe(
      '# ./sixgate lab up\nsixgate 1\nPAGE  http://127.0.0.1:1/#code=…\nlab "lab" --lab\n',
    );
  });

  test("lasting keeps words and leaves figures, identities, order and blanks", () => {
    expect(lasting("a  1.2 s, 2001:db8::1\nopen 6f180cbdc84a")).toBe(lasting("open ff44e787bbe3\na 31 s, 2001:db8::1"));
    expect(lasting("open")).not.toBe(lasting("closed"));
  });

  test("withBetween replaces what is between marks, and throws where there are none", () => {
    const page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
    expect(withBetween(page, "x", "new")).toBe("a\n<!-- x -->\nnew\n<!-- /x -->\nb\n");
    expect(betweenMarks(page, "x")).toBe("old");
    expect(betweenMarks(page, "y")).toBeUndefined();
    expect(() => withBetween(page, "y", "new")).toThrow("<!-- y -->");
  });

  test("writePng keeps few colours as they are, and of many the rare one that is far from all others", () => {
    const [width, height] = [64, 64];
    const rgb = Uint8Array.from({ length: width * height * 3 }, (_, at) => Math.floor(at / 3) % 256);
    rgb.set([255, 0, 0], 300);
    const { rgb: read, ...size } = readPng(writePng({ width, height, rgb }));
    expect(size).toEqual({ width, height });
    expect([...read.subarray(300, 303)]).toEqual([255, 0, 0]);
    expect(read.every((value, at) => Math.abs(value - (rgb[at] ?? 0)) <= 1)).toBe(true);
  });
});
