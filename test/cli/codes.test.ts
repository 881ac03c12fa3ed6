import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { codes } from "../../src/base/codes.ts";
import { project } from "./run.ts";

const sources = [
  ...readdirSync(join(project, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.endsWith("codes.ts"))
    .map((name) => `src/${name}`),
  "runtime/setup.sh",
  "sixgate",
];
/** Every code in a source, with where it is. Comments are left out: naming a code there does not give it. */
const named = sources.flatMap((name) => {
  const text = readFileSync(join(project, name), "utf8").replaceAll(/^\s*(?:\/?\*|\/\/|#).*$/gm, "");
  return [...text.matchAll(/\b[EW][0-9]{3}\b/g)].map(([code]) => ({ code, name }));
});

test("every code that a source names is in the list", () => {
  expect(named.filter(({ code }) => !Object.hasOwn(codes, code))).toEqual([]);
});

test("every code of the list is given somewhere", () => {
  const given = new Set(named.map(({ code }) => code));
  expect(Object.keys(codes).filter((code) => !given.has(code))).toEqual([]);
});

test("codes are titles of one line, each its own", () => {
  const titles = Object.entries(codes).map(([code, title]) => `${code.charAt(0)} ${title}`);
  expect(new Set(titles).size).toBe(titles.length);
  for (const title of titles) expect(title).toMatch(/^[EW] \S[^\n]*[^.\s]$/);
});
