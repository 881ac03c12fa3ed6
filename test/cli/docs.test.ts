import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { referenceFiles } from "../../scripts/docs.ts";
import { codes } from "../../src/base/codes.ts";
import { makeProgram } from "../../src/cli/program.ts";
import { project } from "./run.ts";

test.each([...referenceFiles().keys()])("%s is what scripts/docs.ts writes", (path) => {
  expect(readFileSync(join(project, path), "utf8"), "run: sh scripts/with-node.sh scripts/docs.ts").toBe(
    referenceFiles().get(path),
  );
});

const pages = [
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...readdirSync(join(project, "docs"), { recursive: true, encoding: "utf8" }).map((name) => `docs/${name}`),
].filter((name) => name.endsWith(".md"));

test.each(pages)("%s links to what is there", (name) => {
  const text = readFileSync(join(project, name), "utf8");
  const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, to = ""]) => to);
  const broken = links.filter((to) => !existsSync(join(project, dirname(name), to)));
  expect(broken).toEqual([]);
});

test.each(pages)("%s names files of the project that are there, and codes that exist", (name) => {
  const text = readFileSync(join(project, name), "utf8");
  const paths = [...text.matchAll(/`((?:src|test|scripts|docs|examples|bench|runtime)\/[\w./-]+)`/g)].map(
    ([, path = ""]) => path,
  );
  expect(paths.filter((path) => !existsSync(join(project, path)))).toEqual([]);
  const named = [...text.matchAll(/\b[EW][0-9]{3}\b/g)].map(([code]) => code);
  expect(named.filter((code) => !Object.hasOwn(codes, code))).toEqual([]);
});

test.each(pages)("%s calls verbs that exist", (name) => {
  const text = readFileSync(join(project, name), "utf8");
  const verbs = new Set(makeProgram(() => Promise.resolve()).commands.map((each) => each.name()));
  const blocks = [...text.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block = ""]) => block);
  const called = blocks.flatMap((block) =>
    [...block.matchAll(/^(?:sudo )?(?:\.\/)?sixgate ([a-z]+)/gm)].map(([, verb = ""]) => verb),
  );
  expect(called.filter((verb) => !verbs.has(verb))).toEqual([]);
});

test("docs/README.md leads to every page", () => {
  const index = join(project, "docs/README.md");
  const text = readFileSync(index, "utf8");
  const missing = pages.filter(
    (name) => name.startsWith("docs/") && name !== "docs/README.md" && !text.includes(`(${relative("docs", name)})`),
  );
  expect(missing).toEqual([]);
});
