import type { EngineDesired } from "../../src/desired/desired.ts";
import { daemonPath } from "../../src/drivers/docker/daemon-file.ts";
import { docker } from "../../src/drivers/docker/driver.ts";
import { cacheFolder } from "../../src/lab/cache.ts";
import { cgroupOf, removeCgroups } from "../../src/lab/cgroup.ts";
import { findEngine, startEngine, stopEngine } from "../../src/lab/engine.ts";
import { dockerClient } from "../../src/lab/engines.ts";
import { type Holder, inHolder, must } from "../holder.ts";
import { type Bench, blindShells, type Target } from "./bench.ts";
import { plug } from "./links.ts";
import { missingFor } from "./needs.ts";
import { layerOf } from "./states.ts";

const lab = `conformance-${process.pid}`;

/** Docker 20.10's profile: what every engine that may be on a machine takes. */
export const dockerTarget: Target<EngineDesired> = {
  name: "docker (engine)",
  states: [
    layerOf("engine", "vm1"),
    layerOf("engine", "vm1", { networks: "{ web: {}, db: {} }" }),
    layerOf("engine", "vm1", { networks: "{ web: {}, cache: {}, jobs: {} }" }),
  ],
  missing: missingEngine,
  open: () => inHolder("conformance-docker", start),
};

/** The machine's own, or Debian's unpacked into the lab's cache. */
async function missingEngine(): Promise<string | undefined> {
  const reason = await missingFor(["root"]);
  if (reason !== undefined) return reason;
  return findEngine(cacheFolder(), (line) => process.stderr.write(`${line}\n`)).then(
    () => undefined,
    (cause: unknown) => `no engine: ${cause instanceof Error ? cause.message : String(cause)}`,
  );
}

async function start(holder: Holder): Promise<Bench<EngineDesired>> {
  const { shell } = holder;
  const node = { name: "vm1", pid: holder.pid, shell };
  await plug(shell, "eth1");
  await shell.write(daemonPath, '{\n  "log-level": "warn"\n}\n');
  await startEngine(node, await findEngine(cacheFolder(), () => undefined), { cgroup: `${cgroupOf(lab)}/vm1` });
  await must(shell, [dockerClient, "network", "create", "somebody"]);
  return {
    kind: docker,
    way: shell,
    async foreign() {
      const level = /"log-level": *"[a-z]+"/.exec((await shell.read(daemonPath)) ?? "")?.[0];
      return `${level} ${await must(shell, [dockerClient, "network", "inspect", "--format", "{{.Name}} {{.Driver}} {{.IPAM}}", "somebody"])}`;
    },
    async meddle() {
      await must(shell, [dockerClient, "network", "rm", "web"]);
    },
    blind: (desired) => blindShells(shell).map((each) => docker.at(each, desired)),
    async close() {
      try {
        await stopEngine(node);
      } finally {
        await holder.stop();
        await removeCgroups(lab);
      }
    },
  };
}
