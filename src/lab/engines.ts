import type { Desired } from "../desired/desired.ts";
import { engineFolder } from "../drivers/docker/api.ts";
import { renderOf } from "../drivers/index.ts";
import { cacheFolder } from "./cache.ts";
import { cgroupOf } from "./cgroup.ts";
import { type Engine, engineInRoot, findEngine, ownEtc, type RunningEngine, startEngine } from "./engine.ts";
import { buildEngineRoot, isEngineRelease } from "./engine-root.ts";
import { buildImage, importImage } from "./image.ts";
import type { Say } from "./step.ts";
import { type Nodes, nodeOf } from "./wiring.ts";
import type { LabWish } from "./wish.ts";

/** The engine that a lab was asked to run: a folder, a release to build one of, or whatever this machine has. */
export async function engineFor(asked: string | undefined, say: Say): Promise<Engine> {
  if (asked === undefined) return findEngine(cacheFolder(), say);
  if (isEngineRelease(asked)) return buildEngineRoot(asked, cacheFolder(), say);
  return engineInRoot(asked);
}

/** Starts an engine in every host, with the daemon.json that the driver renders, and gives it the lab's image. */
export async function prepareEngines(
  wish: LabWish,
  nodes: Nodes,
  desired: readonly Desired[],
  say: Say,
): Promise<readonly RunningEngine[]> {
  const { engine } = wish;
  if (engine === undefined) return [];
  const image = await buildImage(cacheFolder(), say);
  const layers = desired.filter((each) => each.layer === "engine");
  return Promise.all(
    layers.map(async (layer) => {
      const node = nodeOf(nodes, layer.device);
      await ownEtc(node);
      for (const file of renderOf(layer)) await node.shell.write(file.path, file.text, file.mode);
      const running = await startEngine(node, engine, { cgroup: `${cgroupOf(wish.name)}/${layer.device}` });
      await importImage(node, image);
      return running;
    }),
  );
}

/** The Docker client of a node, talking to its engine. */
export const dockerClient = `${engineFolder}/docker`;
