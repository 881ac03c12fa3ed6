import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, vi } from "vitest";
import type { Terminal } from "../src/cli/terminal.ts";

export type ImportRig = {
  /** Writes a file into the test's folder and says its path. */
  file(name: string, text: string, mode?: number): Promise<string>;
  /** A path in the folder, whether there is something or not; the folder itself without a name. */
  path(name?: string): string;
};

/** A folder for each test of the file, gone afterwards with the environment that the test set. */
export function importRig(): ImportRig {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sixgate-import-"));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });
  const path = (name = ""): string => join(folder, name);
  return {
    path,
    async file(name, text, mode = 0o644) {
      await writeFile(path(name), text, { mode });
      return path(name);
    },
  };
}

/** What a verb gives as its one result with `--json`; what it says beside goes nowhere. */
export async function resultOf<Result>(verb: (terminal: Terminal) => Promise<unknown>): Promise<Result> {
  const results: unknown[] = [];
  const nothing = (): void => undefined;
  const result = (value: unknown): void => void results.push(value);
  await verb({ json: true, line: nothing, raw: nothing, table: nothing, say: nothing, record: nothing, result });
  if (results.length !== 1) throw new Error(`${results.length} results`);
  return results[0] as Result;
}
