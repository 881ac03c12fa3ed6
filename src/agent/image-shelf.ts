import { printable } from "../base/printable.ts";
import type { EngineClient } from "./engine-client.ts";
import type { AgentLog } from "./log.ts";
import type { ImageLabels } from "./report.ts";

/** Images whose labels are remembered; and how often one is asked about before its labels are given up. */
const most = 4_096;
const tries = 5;

/**
 * The labels that images come with, by image id: an id never has other labels. Also remembers which containers wait
 * for them.
 */
export class ImageShelf {
  readonly #client: EngineClient;
  readonly #log: AgentLog;
  readonly #labels = new Map<string, ImageLabels>();
  readonly #tries = new Map<string, number>();
  /** The image that a container waits for. */
  readonly #waiting = new Map<string, string>();

  constructor(client: EngineClient, log: AgentLog) {
    this.#client = client;
    this.#log = log;
  }

  /** How many containers wait. */
  get waiters(): number {
    return this.#waiting.size;
  }

  /** Undefined where they have to be fetched: the container waits from now on. */
  labelsOf(image: string, container: string): ImageLabels | undefined {
    const labels = this.#labels.get(image);
    if (labels === undefined) this.#waiting.set(container, image);
    else this.#waiting.delete(container);
    return labels;
  }

  /** That container doesn't wait any more. */
  leave(container: string): void {
    this.#waiting.delete(container);
  }

  /** Asks the engine, and gives the containers that waited. Rejects while it is worth asking again. */
  async fetch(image: string, signal: AbortSignal): Promise<readonly string[]> {
    let labels: ImageLabels | undefined;
    try {
      labels = await this.#client.imageLabels(image, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const tried = (this.#tries.get(image) ?? 0) + 1;
      this.#tries.set(image, tried);
      if (tried < tries) throw error;
    }
    this.#tries.delete(image);
    if (labels === undefined)
      this.#log.warn(`Image ${printable(image)} can't be asked: no sixgate label of its containers counts`);
    this.#labels.set(image, labels ?? "unknown");
    if (this.#labels.size > most) for (const oldest of this.#labels.keys().take(1)) this.#labels.delete(oldest);
    return [...this.#waiting].filter(([, each]) => each === image).map(([container]) => container);
  }
}
