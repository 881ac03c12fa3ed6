import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensurePage } from "./page-build.ts";

const clone = join(import.meta.dirname, "../..");
let project: string;
let said: string[];

/** A clone of what the page is made of, with the packages of this one. */
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "sixgate-build-"));
  said = [];
  for (const name of ["src/base", "src/net", "src/web", "tsconfig.json", "package.json", "package-lock.json"])
    await cp(join(clone, name), join(project, name), { recursive: true });
  await symlink(join(clone, "node_modules"), join(project, "node_modules"));
});
afterEach(() => rm(project, { recursive: true }));

const ensure = (): Promise<void> => ensurePage((line) => said.push(line), project);
const index = (): Promise<string> => readFile(join(project, "dist/ui/index.html"), "utf8");
const built = async (): Promise<number> => (await stat(join(project, "dist/ui/index.html"))).mtimeMs;

test("ensurePage builds a page that is missing, and again only when a file that it is made of has changed", {
  timeout: 240_000,
}, async () => {
  await ensure();
  expect(said).toEqual(["building the page: it was not built yet"]);
  expect(await index()).toContain('<script type="module" crossorigin src="/assets/');
  const first = await built();
  await ensure();
  // Another time alone is no change, as after a checkout; nor is a file that is not in it.
  await utimes(join(project, "src/web/ui/main.tsx"), new Date(), new Date());
  await writeFile(join(project, "src/web/ui/store/new.test.ts"), "export {};\n");
  await ensure();
  expect([said.length, await built()]).toEqual([1, first]);
  await appendFile(join(project, "src/base/printable.ts"), "// changed\n");
  await ensure();
  expect(said.slice(1)).toEqual(["building the page: src/base/printable.ts has changed since it was built"]);
  await rm(join(project, "src/web/ui/icons/sixgate.svg"));
  await writeFile(join(project, "src/web/ui/icons/sixgate.svg"), "<svg xmlns='http://www.w3.org/2000/svg'/>\n");
  await ensure();
  expect(said.slice(2)).toEqual(["building the page: src/web/ui/icons/sixgate.svg has changed since it was built"]);
  expect(await readdir(join(project, "dist"))).toEqual(["ui"]);
});

test("ensurePage rejects with E980 where it can't build, and leaves the page that is there and nothing beside it", {
  timeout: 240_000,
}, async () => {
  await ensure();
  const before = await index();
  await writeFile(join(project, "src/web/ui/main.tsx"), "this is no program (\n");
  await expect(ensure()).rejects.toMatchObject({ diagnostic: { code: "E980" } });
  expect(await index()).toBe(before);
  expect(await readdir(join(project, "dist"))).toEqual(["ui"]);
  await rm(join(project, "node_modules"));
  await expect(ensure()).rejects.toMatchObject({ diagnostic: { fix: expect.stringContaining("npm ci") } });
  expect(await index()).toBe(before);
});

test("ensurePage builds nothing where there are no sources, as in a package", async () => {
  await rm(join(project, "src/web/ui"), { recursive: true });
  await ensure();
  await mkdir(join(project, "dist/ui"), { recursive: true });
  await ensure();
  expect(said).toEqual([]);
  expect(await readdir(join(project, "dist/ui"))).toEqual([]);
});
