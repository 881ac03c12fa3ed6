import { readFileSync } from "node:fs";
import { join } from "node:path";
import { project, run } from "./run.ts";

/** Architectures of the .deb, with the name that Node and npm have for each. */
export const architectures = { amd64: "x64", arm64: "arm64" } as const;
export type Architecture = keyof typeof architectures;

export function isArchitecture(text: string): text is Architecture {
  return Object.hasOwn(architectures, text);
}

/** package.json as far as packaging reads it. */
export type Manifest = Readonly<Record<string, unknown>> & {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly files: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
};

export function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as Manifest;
}

/**
 * The second that everything in a package is dated with, so that the same sources give the same bytes: SOURCE_DATE_EPOCH
 * (reproducible-builds.org/specs/source-date-epoch), else the time of the last commit. Throws where neither is to be had.
 */
export function sourceDate(): number {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined) {
    if (/^\d{1,12}$/.test(given)) return Number(given);
    throw new Error(`SOURCE_DATE_EPOCH is no number of seconds: ${JSON.stringify(given)}`);
  }
  try {
    return Number(run(["git", "log", "-1", "--format=%ct"]).trim());
  } catch (cause) {
    throw new Error("No git history here: set SOURCE_DATE_EPOCH to the release's second", { cause });
  }
}
