import { open } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import type { SecretSource } from "../fleet/fleet.ts";

/**
 * A secret from where the fleet file says that it is: one line, its end left out. Rejects with E550 where there is none,
 * or where a file can be read by more than its owner and group. The text goes into a request's headers and nowhere else.
 */
export async function readSecret(source: SecretSource, device: string): Promise<string> {
  const where = source.kind === "file" ? source.path : `${source.kind} ${source.name}`;
  const text = (await rawOf(source, device, where)).replace(/\r?\n$/, "");
  // What a header can hold (RFC 9110 §5.5), without blanks at its ends.
  if (/^[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?$/.test(text)) return text;
  const found = text === "" ? "is empty" : "has more than one line, or signs that a key can't have";
  throw unreadable(
    device,
    `The secret in ${where} ${found}`,
    "put the key there as the device showed it, and nothing else",
  );
}

async function rawOf(source: SecretSource, device: string, where: string): Promise<string> {
  switch (source.kind) {
    case "env": {
      const text = process.env[source.name];
      if (text !== undefined) return text;
      throw unreadable(device, `The environment has no ${source.name}`, `export ${source.name}, or name a file`);
    }
    case "credential": {
      const folder = process.env["CREDENTIALS_DIRECTORY"];
      if (folder !== undefined) return readOwn(join(folder, source.name), device, where);
      throw unreadable(
        device,
        `No systemd credentials here, so no ${source.name}`,
        "start it by a unit with LoadCredential=, or name a file",
      );
    }
    case "file":
      return readOwn(source.path, device, where);
  }
}

async function readOwn(path: string, device: string, where: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      if (((await file.stat()).mode & 0o004) !== 0)
        throw unreadable(device, `Everybody on this machine can read ${where}`, `chmod 600 ${path}`);
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw unreadable(device, `The secret in ${where} can't be read: ${text}`, "look at the path and its rights", cause);
  }
}

function unreadable(device: string, text: string, fix: string, cause?: unknown): Failure {
  return new Failure("E550", device, text, fix, cause === undefined ? {} : { cause });
}
