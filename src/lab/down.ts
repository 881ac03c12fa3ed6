import { removeCgroups } from "./cgroup.ts";
import { stopEngine } from "./engine.ts";
import { stopNode } from "./node.ts";
import { forgetState, type LabState, livingNodes, markedProcesses, readState } from "./state.ts";
import { type Report, step } from "./step.ts";

/**
 * Ends a lab: engines first, so that they take their cgroups and mounts along, then the nodes, which take everything
 * else. Ends only what the lab recorded or marked as its own. Gives the number of nodes ended; 0 when there was none.
 */
export async function labDown(name: string, report: Report): Promise<number> {
  const state = await readState(name);
  const nodes = state === undefined ? [] : await livingNodes(state);
  if (state?.containers === "docker" && nodes.length > 0) {
    await step(report, "engines", async () => {
      const ended = await Promise.all(nodes.map((node) => stopEngine(node)));
      return { value: undefined, detail: `${ended.filter(Boolean).length} stopped` };
    });
  }
  return step(report, "nodes", async () => {
    await Promise.all(nodes.map((node) => stopNode(node.pid)));
    // A `lab up` that was killed before it could write down a node left the mark on it.
    const left = await markedProcesses(name);
    for (const pid of left) await stopNode(pid);
    await removeCgroups(name);
    await forgetState(name);
    return { value: nodes.length, detail: `${nodes.length} ended, nothing left` };
  });
}

/** True when at least one node of the lab still runs. */
export async function labRuns(state: LabState): Promise<boolean> {
  return (await livingNodes(state)).length > 0;
}
