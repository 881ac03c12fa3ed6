import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { z } from "zod";

export type Case = {
  readonly file: string;
  /** What the test stands below, from the outermost on. */
  readonly below: readonly string[];
  readonly title: string;
  readonly result: "passed" | "failed" | "not run";
  /** Why it was not run, where somebody said so. */
  readonly reason?: string;
  /** What failed, in one line. */
  readonly failure?: string;
};

const project = join(import.meta.dirname, "../../..");
const report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).default([]),
        }),
      ),
    }),
  ),
});
type Tested = z.infer<typeof report>["testResults"][number]["assertionResults"][number];

/**
 * As {@link resultsOnce}; files in which something failed are run once more, one after the other: on a busy machine what
 * is beside a test can take the time that its device has. It is said which.
 */
export async function resultsOf(files: readonly string[]): Promise<readonly Case[]> {
  const first = await resultsOnce(files);
  const again = [...new Set(first.filter(({ result }) => result === "failed").map(({ file }) => file))];
  if (again.length === 0) return first;
  process.stderr.write(`once more, one after the other: ${again.join(", ")}\n`);
  const second = await resultsOnce(again, ["--no-file-parallelism"]);
  return [...first.filter(({ file }) => !again.includes(file)), ...second];
}

/** Runs test files by vitest and gives each test's result; a file that could not be run is a case that failed. */
async function resultsOnce(files: readonly string[], options: readonly string[] = []): Promise<readonly Case[]> {
  const folder = await mkdtemp(join(tmpdir(), "sixgate-conformance-"));
  const out = join(folder, "report.json");
  try {
    await ended([
      join(project, "node_modules/vitest/vitest.mjs"),
      "run",
      "--project",
      "unit",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${out}`,
      ...options,
      ...files,
    ]);
    const { testResults } = report.parse(JSON.parse(await readFile(out, "utf8")));
    const cases = testResults.flatMap(({ name, status, message, assertionResults }): readonly Case[] => {
      const file = relative(project, name);
      if (assertionResults.length === 0)
        return [{ file, below: [], title: `${file} was not run`, result: "failed", failure: message ?? status }];
      return assertionResults.map((each) => caseOf(file, each));
    });
    const told = new Set(cases.map(({ file }) => file));
    const silent = files.filter((file) => !told.has(file));
    return [
      ...cases,
      ...silent.map((file): Case => ({ file, below: [], title: `${file} was not run`, result: "failed" })),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function caseOf(file: string, { ancestorTitles, title, status, failureMessages }: Tested): Case {
  // As `notRun` of the suite says it.
  const [, plain = title, reason] = /^(.*) \(not run: (.*)\)$/.exec(title) ?? [];
  const result = status === "passed" || status === "failed" ? status : "not run";
  const failure = failureMessages[0]?.split("\n")[0];
  return {
    file,
    below: ancestorTitles.filter((each) => each !== ""),
    title: plain,
    result,
    ...(reason === undefined ? {} : { reason }),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** What vitest itself says goes to standard error; its exit code says no more than the report. */
function ended(words: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, words, { cwd: project, stdio: ["ignore", 2, 2] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
}
