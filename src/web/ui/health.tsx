import type { ComponentChildren, JSX } from "preact";
import { printable } from "../../base/printable.ts";
import { linkTo } from "./route.ts";
import { lengthText, now } from "./store/clock.ts";
import { connection } from "./store/live.ts";
import { review } from "./store/review.ts";
import { agents, type Status, status } from "./store/status.ts";

type Tone = "good" | "warn" | "bad" | "plain";

/** On every screen: whether what is shown can be relied on. */
export function Health(): JSX.Element {
  const told = status.value;
  return (
    <section class="health" aria-label="Health">
      <Connection />
      {told === undefined ? <Cell name="Controller" tone="bad" value="not read" /> : <Told status={told} />}
    </section>
  );
}

function Connection(): JSX.Element {
  switch (connection.value) {
    case "live":
      return <Cell name="Page" tone="good" value="live" />;
    case "connecting":
      return <Cell name="Page" tone="plain" value="connecting" />;
    case "lost":
      return <Cell name="Page" tone="bad" value="not live: what it shows may be old" />;
  }
}

function Told({ status: told }: { readonly status: Status }): JSX.Element {
  const { gateway, agents: counts, latency } = told;
  return (
    <>
      <Cell
        name="Gateway"
        tone={gateway.reached ? "good" : "bad"}
        value={
          gateway.reached
            ? "reached"
            : `not reached${gateway.error === undefined ? "" : `: ${printable(gateway.error)}`}`
        }
      />
      <Cell
        name="Drift"
        tone={gateway.drift === 0 ? "plain" : "warn"}
        value={gateway.drift === 0 ? "none" : `${gateway.drift} put right`}
        href={linkTo("activity", { only: "drift" })}
      />
      <Cell
        name="Agents"
        tone={counts.connected === counts.all ? "plain" : "warn"}
        href={linkTo("activity", { tab: "agents" })}
      >
        {counts.connected}/{counts.all}
      </Cell>
      <Oldest />
      <Tests />
      <Cell name="Open" count value={String(told.openings)} href={linkTo("openings")} />
      <Cell
        name="Refused"
        count
        tone={told.refusals === 0 ? "plain" : "warn"}
        value={String(told.refusals)}
        href={linkTo("openings", { tab: "refused" })}
      />
      {latency.p99 !== undefined && <Cell name="To open, p99" count value={`${Math.round(latency.p99)} ms`} />}
      {!told.complete && <Cell name="Reports" tone="warn" value="some hosts have not reported yet" />}
    </>
  );
}

/** What the fleet file's tests and findings say; nothing where the controller makes no plans. */
function Tests(): JSX.Element | null {
  const told = review.value;
  if (told === undefined) return null;
  const { tests, findings } = told;
  const passed = tests.filter((test) => test.passed).length;
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const warnings = findings.length - errors;
  const href = linkTo("plan");
  return (
    <>
      {told.unasked !== undefined ? (
        <Cell name="Tests" tone="bad" value="not asked" href={href} />
      ) : tests.length === 0 ? (
        <Cell name="Tests" value="none" href={href} />
      ) : (
        <Cell name="Tests" tone={passed === tests.length ? "plain" : "bad"} href={href}>
          {passed}/{tests.length}
        </Cell>
      )}
      {errors > 0 && <Cell name="Errors" tone="bad" value={String(errors)} href={href} />}
      <Cell name="Warnings" tone={warnings === 0 ? "plain" : "warn"} value={String(warnings)} href={href} />
    </>
  );
}

/** The longest silence of an agent that should speak; one that never came has no age. */
function Oldest(): JSX.Element {
  const seen = (agents.value ?? []).flatMap((agent) =>
    agent.state === "revoked" || agent.seen === undefined ? [] : [agent.seen],
  );
  if (seen.length === 0) return <Cell name="Oldest report" value="none yet" />;
  const age = now.value - Math.min(...seen);
  return <Cell name="Oldest report" tone={age > 60_000 ? "warn" : "plain"} value={lengthText(age)} />;
}

type CellProps = {
  readonly name: string;
  readonly tone?: Tone;
  readonly value?: string;
  readonly href?: string;
  /** Only a number that the screens have too: left out where there is little room. */
  readonly count?: boolean;
  readonly children?: ComponentChildren;
};

function Cell({ name, tone = "plain", value, href, count = false, children }: CellProps): JSX.Element {
  const content = (
    <>
      <span class="name">{name}</span> <span class="value">{value ?? children}</span>
    </>
  );
  const look = `cell ${tone}${count ? " count" : ""}`;
  if (href === undefined) return <span class={look}>{content}</span>;
  return (
    <a class={look} href={href}>
      {content}
    </a>
  );
}
