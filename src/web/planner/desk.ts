import { Failure } from "../../base/failure.ts";
import type { Controller } from "../../controller/controller.ts";
import type { ApplyProgress, ApplyWish, Planner } from "./planner.ts";
import type { ApplyRun, ApplyStep, MadePlan, MatrixView, PlanAnswer, ReviewView } from "./schema.ts";

/** Milliseconds for which an answer is given again: several pages that look cost as much as one. */
const fresh = 5000;

type Parts = {
  readonly planner: Planner;
  readonly controller: Controller;
  readonly now: () => number;
  /** Tells whoever listens that something moved. */
  readonly tell: (run: ApplyRun) => void;
};

type Step = { -readonly [K in keyof ApplyStep]: ApplyStep[K] };
type Waits = { readonly resolve: () => void; readonly reject: (why: Error) => void };

/** What is on the table: the last plan, the last apply, and one of each at a time. */
export class PlanDesk {
  readonly #parts: Parts;
  #plan: MadePlan | undefined;
  #planning: Promise<MadePlan> | undefined;
  #run: (Omit<ApplyRun, "steps"> & { readonly steps: Step[] }) | undefined;
  #waits: Waits | undefined;
  readonly #review: () => Promise<ReviewView>;
  readonly #matrix: () => Promise<MatrixView>;
  constructor(parts: Parts) {
    this.#parts = parts;
    this.#review = shared(() => parts.planner.review(), parts.now);
    this.#matrix = shared(() => parts.planner.matrix(), parts.now);
  }

  review(): Promise<ReviewView> {
    return this.#review();
  }

  matrix(): Promise<MatrixView> {
    return this.#matrix();
  }

  answer(): PlanAnswer {
    const { mayApply, command } = this.#parts.planner;
    return {
      mayApply,
      command,
      ...(this.#plan === undefined ? {} : { plan: this.#plan }),
      ...(this.#run === undefined ? {} : { run: this.#copy(this.#run) }),
    };
  }

  /** Whoever asks while one is being made gets that one. */
  async plan(): Promise<PlanAnswer> {
    this.#planning ??= this.#parts.planner.plan().finally(() => {
      this.#planning = undefined;
    });
    this.#plan = await this.#planning;
    return this.answer();
  }

  /** Begins, and answers at once. Throws E987 without the right, E986 for another plan, E988 while one runs. */
  async apply(wish: ApplyWish & { readonly reason: string; readonly asks: boolean }): Promise<PlanAnswer> {
    const { planner, controller, now } = this.#parts;
    const { by, reason, hash, within } = wish;
    if (!planner.mayApply)
      throw new Failure("E987", "apply", "This controller may not apply", `apply with \`${planner.command}\``);
    if (this.#run?.state === "running")
      throw new Failure("E988", "apply", `An apply by ${this.#run.by} runs`, "wait until it has ended");
    if (this.#plan === undefined || this.#plan.hash !== hash)
      throw new Failure(
        "E986",
        "hash",
        "Not the plan that was made last",
        "make a plan, look at it, and apply that one",
      );
    const [stop] = this.#plan.stops;
    if (stop !== undefined) throw new Failure("E986", stop.at, stop.text, stop.fix);
    const run = { hash, by: by.name, reason, began: now(), state: "running" as const, steps: [] as Step[] };
    this.#run = run;
    try {
      await controller.note(by, "apply begun", { hash, reason, within });
    } catch (cause) {
      this.#run = undefined;
      throw cause;
    }
    void this.#carryOut(wish, run);
    return this.answer();
  }

  /** Somebody saw that all is well: the device that waits is confirmed. */
  confirm(): PlanAnswer {
    if (this.#waits === undefined)
      throw new Failure("E989", "confirm", "Nothing waits to be confirmed", "look at the plan");
    this.#waits.resolve();
    this.#waits = undefined;
    return this.answer();
  }

  /** Does not wait: the device in hand goes back now. */
  undo(by: string): PlanAnswer {
    if (this.#waits === undefined)
      throw new Failure("E989", "undo", "Nothing waits to be confirmed", "look at the plan");
    this.#waits.reject(new Failure("E990", "apply", `Taken back by ${by}`, "make a plan to see what is left"));
    this.#waits = undefined;
    return this.answer();
  }

  async #carryOut(
    wish: ApplyWish & { readonly asks: boolean },
    run: NonNullable<PlanAnswer["run"]> & { readonly steps: Step[] },
  ): Promise<void> {
    const { planner, controller } = this.#parts;
    try {
      await planner.apply(wish, this.#progress(run.steps, wish.asks));
      this.#end({ ...run, state: "applied" });
      await controller.note(wish.by, "applied", {
        hash: wish.hash,
        changes: run.steps.reduce((all, each) => all + each.changes, 0),
      });
    } catch (cause) {
      for (const step of run.steps)
        if (step.state === "applying") Object.assign(step, { state: "failed", asks: false });
      const error =
        cause instanceof Failure
          ? cause.diagnostic
          : ({
              code: "E990",
              severity: "error",
              at: "apply",
              text: messageOf(cause),
              fix: "make a plan to see what is left",
            } as const);
      this.#end({ ...run, state: "failed", error });
      await controller
        .note(wish.by, "apply failed", { hash: wish.hash, code: error.code, at: error.at })
        .catch(() => undefined);
    }
  }

  #progress(steps: Step[], asks: boolean): ApplyProgress {
    const put = (at: number, change: Partial<Step>): void => {
      const step = steps[at];
      if (step !== undefined) Object.assign(step, change);
      if (this.#run !== undefined) this.#parts.tell(this.#copy(this.#run));
    };
    return {
      begins: (all) => {
        steps.push(...all.map((each): Step => ({ ...each, state: "waiting", asks: false })));
        put(-1, {});
      },
      applies: (at, deadline) => put(at, { state: "applying", deadline }),
      agrees: (at) => (asks ? this.#ask(at, steps, put) : Promise.resolve()),
      confirmed: (at) => put(at, { state: "confirmed", asks: false }),
    };
  }

  /** Until somebody confirms, or three seconds before the device would go back: then it is sent back in order. */
  #ask(at: number, steps: readonly Step[], put: (at: number, change: Partial<Step>) => void): Promise<void> {
    put(at, { asks: true });
    const left = Math.max(1000, (steps[at]?.deadline ?? 0) - this.#parts.now() - 3000);
    return new Promise<void>((resolve, reject) => {
      const nobody = new Failure("E990", "apply", "Nobody confirmed in time", "make a plan to see what is left");
      const timer = setTimeout(() => {
        this.#waits = undefined;
        reject(nobody);
      }, left);
      timer.unref();
      this.#waits = {
        resolve: () => {
          clearTimeout(timer);
          put(at, { asks: false });
          resolve();
        },
        reject: (why) => {
          clearTimeout(timer);
          reject(why);
        },
      };
    });
  }

  #end(run: Omit<ApplyRun, "steps"> & { readonly steps: Step[] }): void {
    this.#run = { ...run, ended: this.#parts.now() };
    // What was planned is no longer so, whatever became of it.
    this.#plan = undefined;
    this.#waits = undefined;
    this.#parts.tell(this.#copy(this.#run));
  }

  #copy(run: ApplyRun): ApplyRun {
    return { ...run, steps: run.steps.map((step) => ({ ...step })) };
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The same answer for all who ask within a few seconds. A failure is kept for nobody. */
function shared<T>(make: () => Promise<T>, now: () => number): () => Promise<T> {
  let kept: { readonly at: number; readonly value: Promise<T> } | undefined;
  return () => {
    if (kept !== undefined && now() - kept.at < fresh) return kept.value;
    const made = { at: now(), value: make() };
    kept = made;
    made.value.catch(() => {
      if (kept === made) kept = undefined;
    });
    return made.value;
  };
}
