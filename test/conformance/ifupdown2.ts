import { join } from "node:path";
import { cacheFolder } from "../../src/lab/cache.ts";
import { layTree } from "../../src/lab/node-files.ts";
import type { Shell } from "../../src/runtime/shell.ts";
import { unpackPackages } from "../../src/runtime/unpack.ts";
import { missingFor } from "./needs.ts";

// ifupdown2 is unpacked and never installed: installing it would replace what configures this machine.

function unpacked(): Promise<string> {
  return unpackPackages(["ifupdown2"], join(cacheFolder(), "ifupdown2"), (line) => process.stderr.write(`${line}\n`));
}

export async function missingIfupdown2(): Promise<string | undefined> {
  const reason = await missingFor(["root", "apt-get", "python3"]);
  if (reason !== undefined) return reason;
  return unpacked().then(
    () => undefined,
    (cause: unknown) => `no ifupdown2: ${cause instanceof Error ? cause.message : String(cause)}`,
  );
}

/** Lays ifupdown2 over the /usr of a holder. */
export async function layIfupdown2(shell: Shell): Promise<void> {
  await layTree(shell, await unpacked());
}
