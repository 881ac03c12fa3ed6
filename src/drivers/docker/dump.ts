import type { Shell } from "../../runtime/shell.ts";
import { clientOf, lines } from "./api.ts";

/**
 * What `import docker` reads of an engine: its version, all networks, and the containers that run, each as `docker` prints
 * it. Holds the containers' environment, so it is for the importer and never for a page or a file. Only asks.
 */
export async function dumpOf(shell: Shell, signal?: AbortSignal): Promise<string> {
  const { ask } = clientOf(shell);
  const networks = lines(await ask(["network", "ls", "--quiet", "--no-trunc"], signal));
  const running = lines(await ask(["ps", "--quiet", "--no-trunc"], signal));
  const parts = [await ask(["version", "--format", "{{json .}}"], signal)];
  if (networks.length > 0) parts.push(await ask(["network", "inspect", ...networks], signal));
  if (running.length > 0) parts.push(await ask(["container", "inspect", ...running], signal));
  return parts.join("\n");
}
