import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { allocate } from "../../src/addressing/allocate.ts";
import { emptyLedger, formatLedger } from "../../src/addressing/ledger.ts";
import { formatDiagnostic } from "../../src/base/diagnostic.ts";
import type { Fleet } from "../../src/fleet/fleet.ts";
import { parseFleet } from "../../src/fleet/parse-fleet.ts";
import { labDown } from "../../src/lab/down.ts";
import type { Engine } from "../../src/lab/engine.ts";
import { engineFor } from "../../src/lab/engines.ts";
import { labFleet } from "../../src/lab/lab-fleet.ts";
import type { Node } from "../../src/lab/node.ts";
import { markedProcesses } from "../../src/lab/state.ts";
import { topologyOf } from "../../src/lab/topology.ts";
import { type Lab, labUp } from "../../src/lab/up.ts";
import { nodeOf } from "../../src/lab/wiring.ts";
import type { LabWish } from "../../src/lab/wish.ts";
import type { Shell } from "../../src/runtime/shell.ts";

/** True where namespaces, networkd and engines can be had. */
export const isRoot: boolean = process.getuid?.() === 0;

export type LabUnderTest = Lab & {
  readonly fleet: Fleet;
  node(name: string): Node;
  shell(name: string): Shell;
  down(): Promise<void>;
};

export type BringUp = {
  readonly name: string;
  readonly file: string;
  readonly containers: "docker" | "stand-in";
  readonly edit?: (text: string) => string;
  /** With `docker`: this engine instead of the machine's own. */
  readonly engine?: Engine;
};

export async function wishFor(options: BringUp): Promise<LabWish> {
  const path = fileURLToPath(new URL(`../../${options.file}`, import.meta.url));
  const original = await readFile(path, "utf8");
  const text = options.edit?.(original) ?? original;
  const parsed = parseFleet(text, options.file);
  if (!parsed.ok) throw new Error(parsed.errors.map(formatDiagnostic).join("\n"));
  const engine =
    options.containers === "docker"
      ? (options.engine ?? (await engineFor(process.env["SIXGATE_ENGINE"], () => undefined)))
      : undefined;
  const fleet = labFleet(parsed.value, {
    rootless: false,
    ...(engine === undefined ? {} : { engine: engine.version }),
  });
  const allocated = allocate(fleet, emptyLedger(fleet.name));
  const topology = topologyOf(fleet);
  if (!allocated.ok || !topology.ok) throw new Error("the test's fleet has no plan or no topology");
  return {
    name: options.name,
    fleetFile: path,
    fleetText: text,
    ledgerText: formatLedger(allocated.value.ledger),
    fleet,
    plan: allocated.value.plan,
    topology: topology.value,
    containers: options.containers,
    ...(engine === undefined ? {} : { engine }),
  };
}

/** A lab of a name of its own; `down` ends it and fails when a process of it is left. */
export async function bringUp(options: BringUp): Promise<LabUnderTest> {
  const wish = await wishFor(options);
  const quiet = { say: () => undefined, done: () => undefined };
  const lab = await labUp(wish, quiet, new AbortController().signal);
  return {
    ...lab,
    fleet: wish.fleet,
    node: (name) => nodeOf(lab.nodes, name),
    shell: (name) => nodeOf(lab.nodes, name).shell,
    async down() {
      await labDown(options.name, quiet);
      const left = await markedProcesses(options.name);
      if (left.length > 0) throw new Error(`the lab left processes: ${left.join(", ")}`);
    },
  };
}

/** Runs a program in a node and gives what it printed; fails the test when it fails. */
export async function must(shell: Shell, argv: readonly string[], input?: string): Promise<string> {
  const ran = await shell.run(argv, { timeout: 120_000, ...(input === undefined ? {} : { input }) });
  if (ran.code !== 0) throw new Error(`${shell.name}: ${argv.join(" ")} ended with ${ran.code}: ${ran.stderr}`);
  return ran.stdout;
}

/**
 * Counts packets in the kernel of a node, before anything else there sees them: `match` is an nft expression. The
 * counter, unlike a sniffer, misses none and can't be late.
 */
export async function witness(shell: Shell, name: string, match: string): Promise<() => Promise<number>> {
  const table = `witness_${name}`;
  await must(
    shell,
    ["nft", "-f", "-"],
    `table inet ${table} {\n chain seen {\n type filter hook prerouting priority -500; policy accept;\n ${match} counter\n }\n}\n`,
  );
  return async () => {
    const listed = await must(shell, ["nft", "-j", "list", "table", "inet", table]);
    const packets = /"packets": ?(\d+)/.exec(listed)?.[1];
    if (packets === undefined) throw new Error(`no counter in ${listed}`);
    return Number(packets);
  };
}
