import { execFileSync } from "node:child_process";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import type { Ran } from "../../src/runtime/shell.ts";

// How a real shell calls a program that only the fake has: a script that hands its words and its input to the fake's
// server, and ends as that says. A test starts hundreds of them, and a Node each would be most of what it takes.

/** What a stand-in was called with. `command`: what ssh was to run. */
export type Called = { readonly argv: readonly string[]; readonly input: string };

/** How many words, the words, and the input, with NUL between. */
export function calledWith(body: string): Called {
  const [count = "0", ...parts] = body.split("\0");
  return { argv: parts.slice(0, Number(count)), input: parts.slice(Number(count)).join("\0") };
}

/** Output is the body; exit code and errors are headers, those in the octal of printf(1). */
export function answerCall(response: ServerResponse, { code, stdout, stderr }: Ran): void {
  const octal = [...Buffer.from(stderr)].map((byte) => `\\0${byte.toString(8).padStart(3, "0")}`).join("");
  response.writeHead(200, { "x-code": String(code), "x-errors": octal }).end(stdout);
}

/** Lines for sh(1) that end the script with a call of `program`, whose first words are those, and then the script's own. */
export function callLines(url: string, program: string): string {
  return curlCan() ? byCurl(url, program) : byNode(url, program);
}

let can: boolean | undefined;
/** `%header{…}` came with curl 7.84. */
export function curlCan(): boolean {
  can ??= versionOfCurl() >= 7084;
  return can;
}

function versionOfCurl(): number {
  try {
    const [, major = "0", minor = "0"] =
      /^curl (\d+)\.(\d+)/.exec(execFileSync("curl", ["--version"]).toString()) ?? [];
    return 1000 * Number(major) + Number(minor);
  } catch {
    return 0;
  }
}

export function byCurl(url: string, program: string): string {
  // Through descriptor 3 goes what the program prints; what curl itself says of the end comes by its standard error.
  return `exec 3>&1
said=$({ printf '%s\\0' $(($# + 1)) ${program} "$@"; exec cat; } | curl -s -H Expect: --data-binary @- -w '%{stderr}%header{x-code} %header{x-errors}' "${url}" 2>&1 >&3)
[ "\${said#* }" = "" ] || printf '%b' "\${said#* }" >&2
exit "\${said%% *}"`;
}

export function byNode(url: string, program: string): string {
  return `exec "${process.execPath}" "${join(import.meta.dirname, "stub.ts")}" "${url}" ${program} "$@"`;
}
