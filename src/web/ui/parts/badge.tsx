import type { ComponentChildren, JSX } from "preact";

export type Tone = "good" | "warn" | "bad" | "plain";

/** A word that stands for a state. The colour says nothing that the word does not. */
export function Badge({
  tone = "plain",
  children,
}: {
  readonly tone?: Tone;
  readonly children: ComponentChildren;
}): JSX.Element {
  return <span class={`badge ${tone}`}>{children}</span>;
}
