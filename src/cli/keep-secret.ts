import { open } from "node:fs/promises";
import { Failure } from "../base/failure.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Hands out a secret once: into a file that is made for it, readable by its owner only, or else as the one line of the
 * result. A file that is there already is left alone (E804), and then nothing must have been made yet: see `beforehand`.
 */
export async function keepSecret(secret: string, file: string | undefined, terminal: Terminal): Promise<void> {
  if (file === undefined) {
    terminal.line(secret);
    return;
  }
  const made = await open(file, "r+");
  try {
    await made.writeFile(`${secret}\n`);
    await made.sync();
  } finally {
    await made.close();
  }
}

/** Makes the file that a secret is to be kept in, so that a secret is never made that can't be kept. */
export async function beforehand(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  try {
    await (await open(file, "wx", 0o600)).close();
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "EEXIST") throw error;
    throw new Failure("E804", file, "There is such a file", "name another, or move it away", { cause: error });
  }
}
