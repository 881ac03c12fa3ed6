import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const project: string = join(import.meta.dirname, "../..");
export const main: string = join(project, "src/cli/main.ts");

export type Said = { readonly code: number | null; readonly out: string; readonly err: string };

export type RunOptions = {
  readonly cwd?: string;
  /** Laid over the environment; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A program that starts the CLI, with its arguments: `setpriv …`. */
  readonly under?: readonly string[];
};

/** A command line that runs. `kill`: at once and without a word, as when a machine loses its power. */
export type Running = { readonly said: Promise<Said>; readonly kill: () => void };

/** Runs the real command line as a process of its own, without a terminal and without input. */
export function sixgate(words: readonly string[], options: RunOptions = {}): Promise<Said> {
  return startSixgate(words, options).said;
}

export function startSixgate(words: readonly string[], options: RunOptions = {}): Running {
  const [program = process.execPath, ...args] = [...(options.under ?? []), process.execPath, main, ...words];
  const env = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, ...options.env };
  const child = spawn(program, args, { cwd: options.cwd ?? project, env, stdio: ["ignore", "pipe", "pipe"] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  const said = new Promise<Said>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
    );
  });
  return { said, kill: () => void child.kill("SIGKILL") };
}

/** A folder of its own for one test, removed afterwards; `article.yaml` and `lab.yaml` of examples/ are in it. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "sixgate-cli-"));
  try {
    for (const name of ["article.yaml", "lab.yaml"]) cpSync(join(project, "examples", name), join(folder, name));
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every path below a folder with the text of each file: equal before and after means that nothing was changed. */
export function contentsOf(folder: string): Readonly<Record<string, string>> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    paths.map((path) => {
      const whole = join(folder, path);
      return [path, statSync(whole).isDirectory() ? "folder" : readFileSync(whole, "utf8")];
    }),
  );
}

export function article(): string {
  return readFileSync(join(project, "examples/article.yaml"), "utf8");
}
