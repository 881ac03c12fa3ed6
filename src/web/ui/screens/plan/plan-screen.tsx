import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { PlanAnswer, ReviewView } from "../../../planner/schema.ts";
import { CommandLine } from "../../parts/command-line.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import { post, troublesOf } from "../../store/ask.ts";
import type { LiveKind } from "../../store/live.ts";
import { review as known } from "../../store/review.ts";
import { may } from "../../store/session-state.ts";
import type { Trouble } from "../../store/views.ts";
import { useReading } from "../use-reading.ts";
import { ApplyPanel } from "./apply-panel.tsx";
import { Changes } from "./changes.tsx";
import { FleetFile } from "./fleet-file.tsx";
import { Matrix } from "./matrix.tsx";
import { Tests } from "./tests.tsx";

const onPlan: ReadonlySet<LiveKind> = new Set(["plan"]);
const onStart: ReadonlySet<LiveKind> = new Set();

/** The fleet file with what is said of its lines, what would change, what its tests say, what gets through. */
export function PlanScreen(): JSX.Element {
  const review = useReading<ReviewView>("/api/v1/review", onStart);
  const state = useReading<PlanAnswer>("/api/v1/plan", onPlan);
  const made = useSignal<PlanAnswer | undefined>(undefined);
  const busy = useSignal(false);
  const troubles = useSignal<readonly Trouble[]>([]);
  // What was read later counts.
  useEffect(() => {
    made.value = undefined;
  }, [state.value]);
  // The strip above says the same as the screen.
  useEffect(() => {
    if (review.value !== undefined) known.value = review.value;
  }, [review.value]);
  const answer = made.value ?? state.value;
  const send = async (path: string, body: object): Promise<void> => {
    busy.value = true;
    troubles.value = [];
    try {
      made.value = await post<PlanAnswer>(path, body);
      if (path === "/api/v1/plan") review.again();
    } catch (thrown) {
      troubles.value = troublesOf(thrown);
    }
    busy.value = false;
  };
  return (
    <section class="plan-screen" aria-label="Plan and tests">
      <div class="tools">
        {may("operator") ? (
          <button type="button" class="main" disabled={busy.value} onClick={() => void send("/api/v1/plan", {})}>
            {busy.value ? "Reading devices…" : "Make a plan"}
          </button>
        ) : null}
        <CommandLine text={(answer?.command ?? "sixgate apply").replace("apply", "plan")} />
      </div>
      <Troubles of={[...troubles.value, ...state.troubles, ...review.troubles]} />
      <div class="plan-halves">
        <div>
          {review.value === undefined ? (
            <p class="reading" aria-busy="true">
              Reading…
            </p>
          ) : (
            <FleetFile review={review.value} />
          )}
        </div>
        <div>
          <Changes plan={answer?.plan} run={answer?.run} />
          {answer === undefined ? null : <ApplyPanel answer={answer} busy={busy.value} send={send} />}
          {review.value === undefined ? null : <Tests review={review.value} />}
        </div>
      </div>
      <Matrix />
    </section>
  );
}
