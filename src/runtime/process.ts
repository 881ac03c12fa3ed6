import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Failure } from "../base/failure.ts";
import type { Ran, RunOptions } from "./shell.ts";

const defaultTimeout = 30_000;

/**
 * Starts one program without a shell and collects what it prints. `where` is the place for messages.
 * Rejects with E502 when it can't be started, E501 when it does not end within the timeout (it is killed then), and
 * with the signal's reason when that was aborted before: then nothing is started.
 */
export async function runProcess(where: string, argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [program, ...args] = argv;
  if (program === undefined) throw new RangeError("runProcess needs a program");
  options.signal?.throwIfAborted();
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const timeout = options.timeout ?? defaultTimeout;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
    // A grandchild may still hold the pipes: do not wait for their end.
    child.stdout.destroy();
    child.stderr.destroy();
  }, timeout);
  const abort = (): void => void child.kill("SIGTERM");
  options.signal?.addEventListener("abort", abort, { once: true });
  child.stdin.on("error", () => undefined); // a program that does not read its input closes it
  child.stdin.end(options.input ?? "");
  try {
    const ran = await ended(child, where, program);
    if (!late) return ran;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
  }
  const shown = argv.slice(0, 12).join(" ");
  throw new Failure("E501", where, `"${shown}" did not end within ${timeout / 1000} s`, "try it by hand on the device");
}

/** What a program printed until both its pipes were closed. */
function ended(child: ChildProcessWithoutNullStreams, where: string, program: string): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", (cause) => {
      const text = `"${program}" can't be started: ${cause.message}`;
      reject(new Failure("E502", where, text, "install it, or look at `sixgate doctor`", { cause }));
    });
    child.on("close", (code, signal) => {
      const text = Buffer.concat(err).toString("utf8");
      resolve({
        code: code ?? 128,
        stdout: Buffer.concat(out).toString("utf8"),
        stderr: signal === null ? text : `${text}(${signal})`,
      });
    });
  });
}
