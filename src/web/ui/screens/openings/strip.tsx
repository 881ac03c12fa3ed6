import type { JSX } from "preact";
import type { Checks } from "../../../routes/probes.ts";
import { lengthText, now } from "../../store/clock.ts";
import { SeenRows, useSeen } from "../../store/seen-rows.ts";

const probes: SeenRows<Checks> = new SeenRows<Checks>("/api/v1/probes");
/** Bars of a strip. */
const most = 30;

type Check = Checks["checks"][number];

/** The last checks of an opening with packets, the newest at the right: as bars, and in words for who does not see them. */
export function Strip({ id }: { readonly id: string }): JSX.Element {
  const found = useSeen(probes, id);
  if (found === undefined) return <span class="faint">…</span>;
  if (found.checks.length === 0)
    return (
      <span class="faint" title="Nobody reported a check: sixgate probe --report, sixgate test --live --report">
        none
      </span>
    );
  const text = textOf(found, now.value);
  return (
    <span class={`strip ${found.proof}`} role="img" aria-label={text} title={text}>
      {Array.from({ length: most - found.checks.length }, (_, n) => (
        <i key={`none ${n}`} />
      ))}
      {found.checks.map((check, n) => (
        <i key={`${check.at} ${n}`} class={toneOf(check)} />
      ))}
    </span>
  );
}

function toneOf({ state }: Check): string {
  return state === "open" ? "good" : state === "open|filtered" ? "unsure" : "bad";
}

const proofs = { proved: "Proved", failing: "Not reached", unproved: "Not proved of late" } as const;

/** `Proved. 3 checks: 2 open, 1 filtered. Last: open (syn-ack) from internet 4 s ago, by ann.` */
function textOf({ proof, checks }: Checks, at: number): string {
  const counts = [...Map.groupBy(checks, ({ state }) => state)].map(([state, all]) => `${all.length} ${state}`);
  const last = checks.at(-1);
  const ago = last === undefined ? "" : lengthText(Math.max(0, at - last.at));
  const newest =
    last === undefined ? "" : ` Last: ${last.state} (${last.reason}) from ${last.from} ${ago} ago, by ${last.by}.`;
  return `${proofs[proof]}. ${checks.length} check${checks.length === 1 ? "" : "s"}: ${counts.join(", ")}.${newest}`;
}
