import type { Controller } from "../../controller/controller.ts";
import type { Answer } from "../../probe/probe.ts";

/** One check of an opening with a packet, as somebody at a vantage reported it. */
export type Check = Pick<Answer, "state" | "reason" | "ms"> & {
  /** By the controller's clock, when it was reported. */
  readonly at: number;
  /** The vantage: a name of the fleet file, a prefix or an address. */
  readonly from: string;
  /** Whose token reported it. */
  readonly by: string;
};

/**
 * What fresh checks say of an opening. `proved`: a packet came through, and none failed that should have; `failing`: one
 * did; `unproved`: nobody looked of late, or nobody could tell.
 */
export type Proof = "proved" | "failing" | "unproved";

/** Checks that are kept of an opening. */
const most = 30;
/** Openings of which checks are kept: those that were checked last. */
const mostOpenings = 5000;
/** Milliseconds after which a check proves nothing any more. */
export const fresh: number = 15 * 60_000;

/** What was reported of openings: in memory, bounded, and gone with the opening and at a restart. */
export class ProbeBook {
  /** The one that was checked last is last. */
  readonly #checks = new Map<string, readonly Check[]>();
  readonly #unwatch: () => void;
  constructor(controller: Pick<Controller, "watch">) {
    this.#unwatch = controller.watch((event) => {
      if (event.kind === "closed") this.#checks.delete(event.opening.id);
    });
  }

  put(id: string, check: Check): void {
    const checks = [...(this.#checks.get(id) ?? []).slice(1 - most), check];
    this.#checks.delete(id);
    this.#checks.set(id, checks);
    if (this.#checks.size <= mostOpenings) return;
    const [oldest] = this.#checks.keys();
    if (oldest !== undefined) this.#checks.delete(oldest);
  }

  /** The oldest first. */
  of(id: string): readonly Check[] {
    return this.#checks.get(id) ?? [];
  }

  proofOf(id: string, now: number): Proof {
    const latest = new Map<string, Check["state"]>();
    for (const { at, from, state } of this.of(id)) if (now - at < fresh) latest.set(from, state);
    const states = [...latest.values()];
    if (states.some((state) => state !== "open" && state !== "open|filtered")) return "failing";
    return states.includes("open") ? "proved" : "unproved";
  }

  end(): void {
    this.#unwatch();
    this.#checks.clear();
  }
}
