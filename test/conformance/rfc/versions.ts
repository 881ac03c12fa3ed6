import { runProcess } from "../../../src/runtime/process.ts";
import { python } from "./attacker.ts";
import type { Bench } from "./bench.ts";
import { attackers } from "./programs.ts";

/** What the verdicts were found with: a line each. */
export async function versionsOf(bench: Bench): Promise<readonly string[]> {
  const told = async (argv: readonly string[]): Promise<string> => {
    const ran = await runProcess("local", argv);
    return ran.stdout.trim().split("\n")[0] ?? "";
  };
  const kernel = await bench.lab.shell("fw").run(["uname", "-r"]);
  const packages = await Promise.all(
    attackers.map(({ debian }) => told(["dpkg-query", "-W", "-f", `${debian} \${Version}`, debian])),
  );
  return [
    `Linux ${kernel.stdout.trim()}`,
    await told(["nft", "--version"]),
    await told([python, "--version"]),
    ...packages,
  ];
}
