import { type ChildProcess, spawn } from "node:child_process";

const living = new Set<ChildProcess>();
let isStopped = false;

/** Hands a first Ctrl-C or end on to what runs, so that what was begun is taken down before this program ends. */
export function endInOrder(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      isStopped = true;
      // A terminal tells the whole group by itself, others tell this process alone.
      for (const each of living) each.kill("SIGTERM");
    });
}

/** Throws once somebody asked for the end. */
export function goOn(): void {
  if (isStopped) throw new Error("interrupted");
}

/** Runs a verb and gives what a person sees: both streams in one. Rejects when it fails, and when it was stopped. */
export function sixgate(words: readonly string[]): Promise<string> {
  return whole(words, "sh", ["-c", '"$0" "$@" 2>&1', "./sixgate", ...words]);
}

/** Runs a verb and reads its answer as JSON. */
export async function answerOf(words: readonly string[]): Promise<unknown> {
  return JSON.parse(await whole(words, "sh", ["-c", '"$0" "$@" 2>/dev/null', "./sixgate", ...words, "--json"]));
}

async function whole(words: readonly string[], program: string, argv: readonly string[]): Promise<string> {
  goOn();
  process.stderr.write(`  ./sixgate ${words.join(" ")}\n`);
  const ended = await ran(program, argv);
  goOn();
  if (ended.code === 0) return ended.said;
  throw new Error(`./sixgate ${words.join(" ")} ended with ${ended.code}:\n${ended.said}`);
}

/** Runs a program, whatever becomes of it. */
export function ran(
  program: string,
  words: readonly string[],
): Promise<{ readonly code: string | number; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
    living.add(child);
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      living.delete(child);
      resolve({ code: code ?? signal ?? "no code", said });
    });
  });
}
