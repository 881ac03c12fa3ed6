import type { ComponentChildren, JSX } from "preact";
import { linkTo } from "./route.ts";
import { lengthText, now } from "./store/clock.ts";
import { connection } from "./store/live.ts";
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
        value={gateway.reached ? "reached" : `not reached${gateway.error === undefined ? "" : `: ${gateway.error}`}`}
      />
      <Cell
        name="Drift"
        tone={gateway.drift === 0 ? "plain" : "warn"}
        value={gateway.drift === 0 ? "none" : `${gateway.drift} put right`}
      />
      <Cell name="Agents" tone={counts.connected === counts.all ? "plain" : "warn"} href={linkTo("activity")}>
        {counts.connected}/{counts.all}
      </Cell>
      <Oldest />
      <Cell name="Open" value={String(told.openings)} href={linkTo("openings")} />
      <Cell
        name="Refused"
        tone={told.refusals === 0 ? "plain" : "warn"}
        value={String(told.refusals)}
        href={linkTo("openings", { tab: "refused" })}
      />
      {latency.p99 !== undefined && <Cell name="To open, p99" value={`${Math.round(latency.p99)} ms`} />}
      {!told.complete && <Cell name="Reports" tone="warn" value="some hosts have not reported yet" />}
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
  readonly children?: ComponentChildren;
};

function Cell({ name, tone = "plain", value, href, children }: CellProps): JSX.Element {
  const content = (
    <>
      <span class="name">{name}</span> <span class="value">{value ?? children}</span>
    </>
  );
  if (href === undefined) return <span class={`cell ${tone}`}>{content}</span>;
  return (
    <a class={`cell ${tone}`} href={href}>
      {content}
    </a>
  );
}
