import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { z } from "zod";

export type Case = {
  readonly file: string;
  readonly title: string;
  readonly result: "passed" | "failed" | "not run";
};

const project = join(import.meta.dirname, "../../..");
const report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.object({ title: z.string(), status: z.string() })),
    }),
  ),
});

/** Runs test files by vitest and gives each test's result; a file that could not be run is a case that failed. */
export async function resultsOf(files: readonly string[]): Promise<readonly Case[]> {
  const folder = await mkdtemp(join(tmpdir(), "sixgate-conformance-"));
  const out = join(folder, "report.json");
  try {
    await ended([
      join(project, "node_modules/vitest/vitest.mjs"),
      "run",
      "--project",
      "unit",
      "--reporter=json",
      `--outputFile=${out}`,
      ...files,
    ]);
    const { testResults } = report.parse(JSON.parse(await readFile(out, "utf8")));
    return testResults.flatMap(({ name, status, message, assertionResults }) => {
      const file = relative(project, name);
      if (assertionResults.length === 0)
        return [{ file, title: `${file} was not run: ${message ?? status}`, result: "failed" as const }];
      return assertionResults.map((each) => ({ file, title: each.title, result: wordOf(each.status) }));
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function wordOf(status: string): Case["result"] {
  return status === "passed" || status === "failed" ? status : "not run";
}

/** What vitest itself says goes to standard error; its exit code says no more than the report. */
function ended(words: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, words, { cwd: project, stdio: ["ignore", 2, 2] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
}
