import { type Signal, signal } from "@preact/signals";
import type { ApplyRun, ReviewView } from "../../planner/schema.ts";
import { get, Refused } from "./ask.ts";
import { type LiveEvent, onEvent, onLive } from "./live.ts";

/** What the fleet file and its tests say. Undefined: not read yet, the read failed, or this controller makes no plans. */
export const review: Signal<ReviewView | undefined> = signal<ReviewView | undefined>(undefined);

/** Nobody tells that the file was changed, and its tests take the controller a while: rarely. */
const every = 300_000;

export function followReview(): () => void {
  let isThere = true;
  const read = async (): Promise<void> => {
    if (!isThere) return;
    try {
      review.value = await get<ReviewView>("/api/v1/review");
    } catch (thrown) {
      review.value = undefined;
      isThere = !(thrown instanceof Refused && thrown.status === 404);
    }
  };
  const forget = [
    onLive(() => void read()),
    onEvent((event) => {
      if (hasEnded(event)) void read();
    }),
  ];
  const ticking = setInterval(() => void read(), every);
  return () => {
    clearInterval(ticking);
    for (const each of forget) each();
  };
}

/** That an apply has ended. */
function hasEnded(event: LiveEvent): boolean {
  return event.kind === "plan" && (event["run"] as ApplyRun).state !== "running";
}
