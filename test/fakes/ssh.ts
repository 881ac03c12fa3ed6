import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callLines } from "./caller.ts";
import { sshWord } from "./freebsd.ts";

/** A folder with a program `ssh` that comes out in a fake device, whatever it is called with: for tests of the command line. */
export function sshStandIn(folder: string, url: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const script = `#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nset -- "$3"\n${callLines(url, sshWord)}\n`;
  writeFileSync(join(bin, "ssh"), script, { mode: 0o755 });
  return bin;
}
