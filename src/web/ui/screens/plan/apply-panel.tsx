import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { ApplyRun, ApplyStep, PlanAnswer } from "../../../planner/schema.ts";
import { CommandLine } from "../../parts/command-line.tsx";
import { may } from "../../store/session-state.ts";
import { secondsLeft } from "./lines.ts";

type PanelProps = {
  readonly answer: PlanAnswer;
  readonly busy: boolean;
  readonly send: (path: string, body: object) => Promise<void>;
};

/** Applies the plan that is shown, where that is allowed; else the command that does it. */
export function ApplyPanel({ answer, busy, send }: PanelProps): JSX.Element | null {
  const { plan, run, mayApply, command } = answer;
  const changes = plan !== undefined && plan.devices.length > 0 && plan.stops.length === 0;
  return (
    <section aria-labelledby="apply-title">
      <h2 id="apply-title">Apply</h2>
      {run === undefined ? null : <Run run={run} busy={busy} send={send} />}
      {run?.state === "running" ? null : !mayApply ? (
        <>
          <p class="faint">This controller was not started with --may-apply: it only shows plans. To apply this one:</p>
          <CommandLine text={command} />
        </>
      ) : !may("admin") ? (
        <p class="faint">Admins may apply here.</p>
      ) : changes ? (
        <Ask hash={plan.hash} busy={busy} command={command} send={send} />
      ) : (
        <p class="faint">Nothing to apply.</p>
      )}
    </section>
  );
}

function Ask({
  hash,
  busy,
  command,
  send,
}: { readonly hash: string; readonly command: string } & Pick<PanelProps, "busy" | "send">): JSX.Element {
  const reason = useSignal("");
  const within = useSignal(60);
  const asks = useSignal(true);
  return (
    <form
      class="apply"
      onSubmit={(event) => {
        event.preventDefault();
        void send("/api/v1/plan/apply", { hash, reason: reason.value, within: within.value, asks: asks.value });
      }}
    >
      <label>
        Reason
        <input
          required
          maxLength={500}
          value={reason.value}
          onInput={({ currentTarget }) => (reason.value = currentTarget.value)}
        />
      </label>
      <label>
        Goes back by itself after
        <select value={within.value} onChange={({ currentTarget }) => (within.value = Number(currentTarget.value))}>
          {[30, 60, 120, 300].map((each) => (
            <option key={each} value={each}>
              {each} s
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={asks.value}
          onChange={({ currentTarget }) => (asks.value = currentTarget.checked)}
        />
        Ask me before each device is confirmed
      </label>
      <button type="submit" class="main" disabled={busy}>
        Apply
      </button>
      <CommandLine text={command} />
    </form>
  );
}

const ends = { running: "Applying", applied: "Applied", failed: "Stopped" } as const;

function Run({ run, busy, send }: { readonly run: ApplyRun } & Omit<PanelProps, "answer">): JSX.Element {
  const asks = run.steps.some((step) => step.asks);
  return (
    <div class={`card run-${run.state}`} aria-live="polite">
      <p>
        <b>{ends[run.state]}</b> by {run.by}: {run.reason}
      </p>
      <ol class="steps">
        {run.steps.map((step) => (
          <li key={`${step.device} ${step.layer}`} class={`step-${step.state}`}>
            {step.device} {step.layer} <span class="faint">{step.changes} changes</span> <Left step={step} />
          </li>
        ))}
      </ol>
      {asks && may("admin") ? (
        <p class="buttons">
          <button type="button" class="main" disabled={busy} onClick={() => void send("/api/v1/plan/confirm", {})}>
            All is well: keep it
          </button>
          <button type="button" disabled={busy} onClick={() => void send("/api/v1/plan/undo", {})}>
            Take it back
          </button>
        </p>
      ) : null}
      {run.error === undefined ? null : (
        <p class="notice bad">
          {run.error.code} {run.error.at}: {run.error.text}. {run.error.fix}
        </p>
      )}
    </div>
  );
}

/** The countdown until the device undoes the change by itself. */
function Left({ step }: { readonly step: ApplyStep }): JSX.Element {
  const now = useSignal(Date.now());
  const counts = step.state === "applying" && step.deadline !== undefined;
  useEffect(() => {
    if (!counts) return undefined;
    const beat = setInterval(() => (now.value = Date.now()), 250);
    return () => clearInterval(beat);
  }, [counts]);
  if (step.state === "waiting") return <span class="faint">waits</span>;
  if (step.state !== "applying")
    return <span class={step.state === "confirmed" ? "badge good" : "badge bad"}>{step.state}</span>;
  const left = secondsLeft(step.deadline ?? 0, now.value);
  return (
    <span role="timer" class="countdown">
      {step.asks ? "waits for you, " : ""}goes back in {left} s unless confirmed
    </span>
  );
}
