import { runProcess } from "../src/runtime/process.ts";

/** Runs in a network namespace of its own: all sides write to the kernel of the process's own network. */
export async function run({ json }: { readonly json: boolean }): Promise<void> {
  if (process.getuid?.() !== 0) {
    console.log("\nopenings: skipped, namespaces need root");
    return;
  }
  const argv = [
    "unshare",
    "-n",
    process.execPath,
    `${import.meta.dirname}/openings-inside.ts`,
    ...(json ? ["--json"] : []),
  ];
  const ran = await runProcess("bench", argv, { timeout: 600_000 });
  if (ran.code !== 0) throw new Error(ran.stderr);
  process.stdout.write(ran.stdout);
}
