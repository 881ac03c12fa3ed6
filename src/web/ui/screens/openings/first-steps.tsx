import type { ComponentChildren, JSX } from "preact";
import { CommandLine, shellWord } from "../../parts/command-line.tsx";
import { Empty } from "../../parts/empty.tsx";
import { linkTo } from "../../route.ts";
import { review } from "../../store/review.ts";
import { agents, status } from "../../store/status.ts";

/** In the place of an empty list of openings: what is there already, and what comes next, with the line to type. */
export function FirstSteps(): JSX.Element {
  return (
    <Empty title="Nothing is open">
      <p>Every address is routed, and closed. From here to the first open port:</p>
      <ol class="first-steps" aria-label="First steps">
        <GatewayStep />
        <AgentStep />
        <LabelStep />
        <TestStep />
      </ol>
      <p>Or by hand, for some time and with a reason:</p>
      <CommandLine text='sixgate open vm1/web 443 --for 2h --because "release test"' />
    </Empty>
  );
}

type StepProps = { readonly isDone: boolean; readonly title: string; readonly children?: ComponentChildren };

function Step({ isDone, title, children }: StepProps): JSX.Element {
  return (
    <li class={isDone ? "done" : ""}>
      <span class="mark" role="img" aria-label={isDone ? "done" : "to do"}>
        {isDone ? "✓" : ""}
      </span>
      <div>
        <b>{title}</b>
        {!isDone && children}
      </div>
    </li>
  );
}

function GatewayStep(): JSX.Element {
  const isReached = status.value?.gateway.reached === true;
  return (
    <Step isDone={isReached} title={isReached ? "The gateway is reached" : "The gateway is not reached"}>
      <p>What keeps the controller from it, and what to do:</p>
      <CommandLine text="sixgate doctor" />
    </Step>
  );
}

function AgentStep(): JSX.Element {
  const all = agents.value ?? [];
  const missing = all.filter(({ state }) => state === "never");
  const came = all.length - missing.length;
  return (
    <Step isDone={all.length > 0 && missing.length === 0} title={`${came} of ${all.length} hosts have an agent`}>
      <p>Invite a host here, then enrol it there with the token:</p>
      <CommandLine text={`sixgate invite ${shellWord(missing[0]?.host ?? "HOST")}`} />
      <CommandLine text="sixgate enrol https://CONTROLLER:6464" />
    </Step>
  );
}

function LabelStep(): JSX.Element {
  const refused = status.value?.refusals ?? 0;
  return (
    <Step isDone={false} title={refused === 0 ? "No container has asked" : "Containers have asked, and were refused"}>
      {refused > 0 ? (
        <p>
          <a href={linkTo("openings", { tab: "refused" })}>Why, and what to do</a>
        </p>
      ) : (
        <>
          <p>It asks by its label, and the policy decides:</p>
          <CommandLine text="docker run --label sixgate.open=443 --network front nginx" />
        </>
      )}
    </Step>
  );
}

function TestStep(): JSX.Element | null {
  const told = review.value;
  if (told === undefined) return null;
  const passed = told.tests.filter((test) => test.passed).length;
  const isDone = told.tests.length > 0 && passed === told.tests.length;
  const title =
    told.tests.length === 0
      ? "The fleet file has no tests"
      : `${passed} of ${told.tests.length} tests of the fleet pass`;
  return (
    <Step isDone={isDone} title={title}>
      <p>
        <a href={linkTo("plan")}>
          {told.tests.length === 0 ? "Tests say what must be open and what closed" : "Which do not, and why"}
        </a>
      </p>
    </Step>
  );
}
