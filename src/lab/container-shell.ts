import type { Shell } from "../runtime/shell.ts";
import type { RunningContainer } from "./state.ts";
import { type Nodes, nodeOf } from "./wiring.ts";

/** Programs of this machine, run in a container's network: containers of a lab need not have a prober in their image. */
export function containerShell(nodes: Nodes, container: RunningContainer): Shell {
  const { shell } = nodeOf(nodes, container.node);
  return {
    ...shell,
    name: `lab ${container.host}/${container.name}`,
    run: (argv, options) => shell.run(["nsenter", "-t", String(container.pid), "-n", "--", ...argv], options),
  };
}
