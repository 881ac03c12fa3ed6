import { type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { printable } from "../../../base/printable.ts";

const said: Signal<string> = signal("");

/** Says to people who hear the page what others see happen. */
export function announce(text: string): void {
  said.value = printable(text);
}

export function Live(): JSX.Element {
  return (
    <div class="unseen" role="status" aria-live="polite">
      {said.value}
    </div>
  );
}
