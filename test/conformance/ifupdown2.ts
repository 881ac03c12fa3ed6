import { ifupdown2Tree, startIfupdown2 } from "../../src/lab/ifupdown2.ts";
import type { Holder } from "../holder.ts";
import { missingFor } from "./needs.ts";

function tree(): Promise<string> {
  return ifupdown2Tree((line) => process.stderr.write(`${line}\n`));
}

/** ifupdown2 is unpacked and never installed: installing it would replace what configures this machine. */
export async function missingIfupdown2(): Promise<string | undefined> {
  const reason = await missingFor(["root", "apt-get", "python3"]);
  if (reason !== undefined) return reason;
  return tree().then(
    () => undefined,
    (cause: unknown) => `no ifupdown2: ${cause instanceof Error ? cause.message : String(cause)}`,
  );
}

export async function layIfupdown2(holder: Holder): Promise<void> {
  await startIfupdown2(holder.shell, await tree());
}
