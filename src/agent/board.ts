import type { ContainerReport } from "../openings/container-report.ts";

/** Versions of the engine and its API; both empty while it doesn't answer. */
export type EngineFacts = { readonly engine: string; readonly api: string };

/** From one state of the board to the next. `at`: the engine's time of the first event behind it, milliseconds. */
export type BoardChange = {
  readonly put: readonly ContainerReport[];
  readonly gone: readonly string[];
  readonly at?: number;
  /** What the engine is has changed. */
  readonly facts?: true;
};

/**
 * What is known of this host's containers now: the watch writes it, the connection to the controller reads it. It is
 * `complete` from the first full listing on, and stays so: while the engine is away the last that was known holds.
 */
export class Board {
  readonly reports = new Map<string, ContainerReport>();
  #facts: EngineFacts = { engine: "", api: "" };
  #complete = false;
  readonly #listeners = new Set<(change: BoardChange) => void>();

  get facts(): EngineFacts {
    return this.#facts;
  }

  get complete(): boolean {
    return this.#complete;
  }

  /** Called at once with each change, and with an empty one when the board has become complete. */
  watch(listener: (change: BoardChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  change(change: BoardChange, complete: boolean): void {
    for (const id of change.gone) this.reports.delete(id);
    for (const report of change.put) this.reports.set(report.id, report);
    const first = complete && !this.#complete;
    this.#complete ||= complete;
    if (!first && change.put.length === 0 && change.gone.length === 0) return;
    for (const listener of this.#listeners) listener(change);
  }

  /** The engine answered. */
  know(facts: EngineFacts): void {
    const same = facts.engine === this.#facts.engine && facts.api === this.#facts.api;
    this.#facts = facts;
    if (same || !this.#complete) return;
    for (const listener of this.#listeners) listener({ put: [], gone: [], facts: true });
  }
}
