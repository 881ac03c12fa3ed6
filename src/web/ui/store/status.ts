import { type Signal, signal } from "@preact/signals";
import type { z } from "zod";
import type { statusShape } from "../../schema.ts";
import { get } from "./ask.ts";
import { onEvent, onReadAgain } from "./live.ts";
import type { Agent } from "./views.ts";

export type Status = z.output<z.ZodObject<typeof statusShape>>;

/** Undefined: not read yet, or the last read failed. */
export const status: Signal<Status | undefined> = signal<Status | undefined>(undefined);
export const agents: Signal<readonly Agent[] | undefined> = signal<readonly Agent[] | undefined>(undefined);

/** Numbers that no event tells are at most so old. */
const every = 10_000;

/** Keeps what the health strip shows. */
export function followStatus(): () => void {
  let due: ReturnType<typeof setTimeout> | undefined;
  const soon = (): void => {
    due ??= setTimeout(() => {
      due = undefined;
      void read();
    }, 500);
  };
  const forget = [onReadAgain(() => void read()), onEvent(soon)];
  const ticking = setInterval(soon, every);
  return () => {
    clearInterval(ticking);
    clearTimeout(due);
    for (const each of forget) each();
  };
}

async function read(): Promise<void> {
  try {
    const [now, all] = await Promise.all([
      get<Status>("/api/v1/status"),
      get<{ readonly entries: readonly Agent[] }>("/api/v1/agents"),
    ]);
    status.value = now;
    agents.value = all.entries;
  } catch {
    status.value = undefined;
    agents.value = undefined;
  }
}
