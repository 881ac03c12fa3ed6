/** One line of a lab's coming up or going down, told when it is done. */
export type Step = { readonly name: string; readonly detail: string; readonly ms: number };

/** Tells what is being installed or waited for. */
export type Say = (line: string) => void;

/** What a lab tells while it works: `say` for what it installs, `done` for each step. */
export type Report = { readonly say: Say; readonly done: (step: Step) => void };

/** Runs a step, times it and tells it. `work` gives the detail to show. */
export async function step<T>(
  report: Report,
  name: string,
  work: () => Promise<{ readonly value: T; readonly detail: string }>,
): Promise<T> {
  const began = performance.now();
  const { value, detail } = await work();
  report.done({ name, detail, ms: performance.now() - began });
  return value;
}
