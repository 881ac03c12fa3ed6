import { spawnSync } from "node:child_process";
import { join } from "node:path";

export const project: string = join(import.meta.dirname, "../..");

export type RunOptions = { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> };

/** Runs a program and gives what it printed. Throws with both streams when it fails. */
export function run(words: readonly string[], options: RunOptions = {}): string {
  const [program = "", ...args] = words;
  const env = { ...process.env, ...options.env };
  const ran = spawnSync(program, args, { cwd: options.cwd ?? project, env, encoding: "utf8", maxBuffer: 1 << 28 });
  if (ran.error !== undefined) throw ran.error;
  if (ran.status === 0) return ran.stdout;
  throw new Error(`${words.join(" ")} ended with ${ran.status ?? ran.signal}:\n${ran.stdout}${ran.stderr}`);
}

/** A program of the project's node_modules. */
export function bin(name: string): string {
  return join(project, "node_modules/.bin", name);
}
