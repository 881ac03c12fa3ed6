// The folder that both packages are made of: what package.json's `files` names, built, with a manifest of its own.
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readLock, shipped } from "./lock.ts";
import { manPages } from "./man.ts";
import { readManifest } from "./release.ts";
import { bin, project, run } from "./run.ts";
import { billOfMaterials } from "./sbom.ts";

/** Makes the folder anew. `date` in seconds. */
export function makeStage(stage: string, date: number): void {
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  const { files } = readManifest();
  // `dist`, `man` and the bill of materials are made, not copied.
  for (const path of [...files, "README.md", "LICENSE"].filter((each) => existsSync(join(project, each)))) {
    if (path === "dist") continue;
    mkdirSync(dirname(join(stage, path)), { recursive: true });
    cpSync(join(project, path), join(stage, path), { recursive: true });
  }
  compile(stage);
  addPage(stage);
  writeManifest(stage);
  for (const [name, text] of manPages(date)) write(join(stage, "man", name), text);
  write(join(stage, "sbom.cdx.json"), `${JSON.stringify(billOfMaterials(date), null, 2)}\n`);
  plainModes(stage);
}

/** JavaScript of the sources. Types are `npm run check`'s business: here they would only be looked at again. */
function compile(stage: string): void {
  run([bin("tsc"), "-p", "tsconfig.build.json", "--noCheck", "--outDir", join(stage, "dist")]);
}

function addPage(stage: string): void {
  if (readManifest().scripts["build:page"] === undefined) return;
  run(["npm", "run", "--silent", "build:page"]);
  cpSync(join(project, "dist/ui"), join(stage, "dist/ui"), { recursive: true });
  // By it a clone sees that its page is old; a package has no sources to compare with.
  rmSync(join(stage, "dist/ui/made-from.json"));
}

/**
 * What is published has no scripts and nothing for tests, and pins what it pulls in: npm-shrinkwrap.json is the one lock
 * file that npm reads in an installed package. The project's own manifest is private, so that it is never published
 * unbuilt.
 */
function writeManifest(stage: string): void {
  const { scripts: _, devDependencies: __, private: ___, ...manifest } = readManifest();
  const files = [...manifest.files, "man", "sbom.cdx.json", "npm-shrinkwrap.json"];
  write(join(stage, "package.json"), `${JSON.stringify({ ...manifest, files }, null, 2)}\n`);
  const lock = readLock("package-lock.json");
  const { devDependencies: ____, ...own }: Readonly<Record<string, unknown>> = lock.packages[""] ?? {};
  const packages = { "": own, ...Object.fromEntries(shipped(lock)) };
  write(join(stage, "npm-shrinkwrap.json"), `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
}

export function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode });
}

/** 755 for folders and for what its owner may run, 644 for the rest, whatever umask and checkout made of them. */
export function plainModes(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) plainModes(path);
    else if (entry.isFile()) chmodSync(path, (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}
