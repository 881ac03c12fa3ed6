import type { Outcome, Seen } from "./attacker.ts";
import type { Case, Step } from "./table.ts";

/**
 * `dropped`: neither forwarded nor let in, and nobody answers. `stopped`: the same, but an answer is no fault.
 * `forwarded`: it comes out at another place. `accepted`: the gateway itself takes it. Besides, `answered WHAT`.
 */
const wishWords = ["dropped", "stopped", "forwarded", "accepted"] as const;

type Wish = (typeof wishWords)[number] | { readonly answered: string };

/** Throws an Error for a word that is none: a typing error must not pass. */
export function wishesOf(text: string): readonly Wish[] {
  return text.split(",").map((part): Wish => {
    const word = part.trim();
    const known = wishWords.find((each) => each === word);
    if (known !== undefined) return known;
    const answered = /^answered (.+)$/.exec(word)?.[1];
    if (answered === undefined) throw new Error(`No such expectation: ${JSON.stringify(word)}`);
    return { answered };
  });
}

/** True where something has to come out of the gateway, so that it is waited for. */
export function awaits(text: string): boolean {
  return wishesOf(text).some((wish) => wish === "forwarded" || typeof wish === "object");
}

/** What is wrong with what came of a case, or undefined. The first step that went wrong is told. */
export function faultOf({ what, steps }: Case, outcomes: readonly Outcome[]): string | undefined {
  for (const [at, step] of steps.entries()) {
    const outcome = outcomes[at];
    const wrong = outcome === undefined ? "was not asked" : faultOfStep(step, outcome);
    if (wrong === undefined) continue;
    const where = steps.length > 1 ? `step ${at + 1}, ` : "";
    return `${what === "" ? "" : `${what}: `}${where}from ${step.from} ${spelled(step)}: ${wrong}`;
  }
  return undefined;
}

/** The packets with the case's values in place of their names. */
function spelled({ send, with: values }: Step): string {
  return send.map((each) => each.replaceAll(/\b[a-z]+\b/g, (name) => String(values[name] ?? name))).join("; ");
}

function faultOfStep(step: Step, outcome: Outcome): string | undefined {
  const arrivals = outcome.seen.filter((each) => each.kind === "arrival");
  const answers = outcome.seen.filter((each) => each.kind === "answer");
  for (const wish of wishesOf(step.expect)) {
    if (wish === "dropped") {
      if (isSilent(outcome)) continue;
      return `should be dropped in silence, ${told(outcome)}`;
    }
    if (wish === "stopped" && arrivals.length + outcome.crossed + outcome.accepted > 0) {
      return `should go no further, ${told(outcome)}`;
    }
    if (wish === "forwarded" && arrivals.length === 0) return `should be forwarded, ${told(outcome)}`;
    if (wish === "accepted" && outcome.accepted === 0) return `should be let in, ${told(outcome)}`;
    if (typeof wish === "object" && !answers.some((each) => each.what === wish.answered)) {
      return `should be answered with ${wish.answered}, ${told(outcome)}`;
    }
  }
  const shown = arrivals.map((each) => each.text).join("");
  if (step.shows !== undefined && !shown.includes(step.shows)) return `should show ${step.shows}, ${told(outcome)}`;
  if (step.hides !== undefined && shown.includes(step.hides)) return `should not show ${step.hides}, ${told(outcome)}`;
  return undefined;
}

/** Nothing crossed, nothing was let in, and nobody said a word. */
function isSilent({ seen, crossed, accepted }: Outcome): boolean {
  return seen.length === 0 && crossed === 0 && accepted === 0;
}

function told(outcome: Outcome): string {
  if (isSilent(outcome)) return "was dropped in silence";
  const parts = [
    ...outcome.seen.map((each) => seenText(each)),
    ...(outcome.crossed > 0 ? ["crossed the filter"] : []),
    ...(outcome.accepted > 0 ? ["was let in"] : []),
  ];
  return `was not: ${[...new Set(parts)].join(", ")}`;
}

function seenText({ at, kind, what, from }: Seen): string {
  return kind === "answer" ? `${what} came back from ${from}` : `${what} came out at ${at}`;
}
