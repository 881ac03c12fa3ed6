import type { Outcome } from "./attacker.ts";
import type { Bench } from "./bench.ts";
import { awaits, faultOf } from "./judge.ts";
import type { Case, Step } from "./table.ts";

/** One case that was asked: the number that its packets carried, and what came of each step. */
export type Asked = { readonly number: number; readonly outcomes: readonly Outcome[] };

/** Asks all at once, each with a number of its own. */
export async function askSteps(bench: Bench, all: readonly (readonly Step[])[]): Promise<readonly Asked[]> {
  const questions = all.map((steps) => ({
    number: bench.number(),
    steps: steps.map((step) => ({ ...step, awaited: awaits(step.expect) })),
  }));
  const outcomes = await bench.attacker.ask(questions);
  return questions.map(({ number }) => ({ number, outcomes: outcomes.get(number) ?? [] }));
}

/** The fault of each case, or undefined. */
export async function faultsOf(bench: Bench, cases: readonly Case[]): Promise<readonly (string | undefined)[]> {
  const asked = await askSteps(
    bench,
    cases.map((each) => each.steps),
  );
  return cases.map((each, at) => faultOf(each, asked[at]?.outcomes ?? []));
}

/** The fault of one question made up on the spot, or undefined. */
export async function faultIn(bench: Bench, what: string, steps: readonly Step[]): Promise<string | undefined> {
  const [fault] = await faultsOf(bench, [{ what, policy: "as written", steps }]);
  return fault;
}

export function step(from: Step["from"], send: string, expect: string, values: Step["with"] = {}): Step {
  return { from, send: [send], expect, with: values };
}
