// `npm run package`: the npm tarball, Debian packages, bills of materials and SHA256SUMS, into out/ or --out FOLDER.
// --arch amd64,arm64 (default: this machine's), --only tarball|deb.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { checksumLine, makeDeb } from "./deb.ts";
import { type Architecture, architectures, isArchitecture, readManifest, sourceDate } from "./release.ts";
import { project, run } from "./run.ts";
import { makeStage } from "./stage.ts";

const { values } = parseArgs({
  options: { out: { type: "string" }, arch: { type: "string" }, only: { type: "string" } },
});

function ownArchitecture(): Architecture {
  const found = Object.entries(architectures).find(([, cpu]) => cpu === process.arch)?.[0] ?? "";
  if (isArchitecture(found)) return found;
  throw new Error(`No package for ${process.arch}: ${Object.keys(architectures).join(", ")}`);
}

function wanted(): readonly Architecture[] {
  return (values.arch ?? ownArchitecture()).split(",").map((text) => {
    if (isArchitecture(text)) return text;
    throw new Error(`--arch: one of ${Object.keys(architectures).join(", ")}, not ${JSON.stringify(text)}`);
  });
}

const { version } = readManifest();
const date = sourceDate();
const out = resolve(values.out ?? join(project, "out"));
const work = mkdtempSync(join(tmpdir(), "sixgate-package-"));
try {
  const stage = join(work, "stage");
  mkdirSync(out, { recursive: true });
  makeStage(stage, date);
  const made: string[] = [];
  if (values.only !== "deb") {
    run(["npm", "pack", "--silent", "--pack-destination", out], { cwd: stage });
    const bill = join(out, `sixgate-${version}.cdx.json`);
    copyFileSync(join(stage, "sbom.cdx.json"), bill);
    made.push(join(out, `sixgate-${version}.tgz`), bill);
  }
  if (values.only !== "tarball")
    for (const architecture of wanted())
      made.push(makeDeb({ stage, tree: join(work, architecture), out, version, architecture, date }));
  writeFileSync(join(out, "SHA256SUMS"), made.map(checksumLine).join(""));
  for (const path of made) process.stdout.write(`${path}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
