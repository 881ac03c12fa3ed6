import { spawn } from "node:child_process";
import { Failure } from "../base/failure.ts";
import type { Ran, RunOptions } from "./shell.ts";

const defaultTimeout = 30_000;

/**
 * Starts one program without a shell and collects what it prints. `where` is the place for messages.
 * Rejects with E502 when it can't be started and E501 when it does not end within the timeout (it is killed then).
 */
export function runProcess(where: string, argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [program, ...args] = argv;
  if (program === undefined) throw new RangeError("runProcess needs a program");
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const timeout = options.timeout ?? defaultTimeout;
    const shown = argv.slice(0, 12).join(" ");
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
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", (cause) => {
      clearTimeout(timer);
      reject(
        new Failure(
          "E502",
          where,
          `"${program}" can't be started: ${cause.message}`,
          "install it, or look at `sixgate doctor`",
          { cause },
        ),
      );
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", abort);
      if (late) {
        reject(
          new Failure(
            "E501",
            where,
            `"${shown}" did not end within ${timeout / 1000} s`,
            "try it by hand on the device",
          ),
        );
      } else {
        const text = Buffer.concat(err).toString("utf8");
        resolve({
          code: code ?? 128,
          stdout: Buffer.concat(out).toString("utf8"),
          stderr: signal === null ? text : `${text}(${signal})`,
        });
      }
    });
    child.stdin.on("error", () => undefined); // a program that does not read its input closes it
    child.stdin.end(options.input ?? "");
  });
}
