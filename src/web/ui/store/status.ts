import { type Signal, signal } from "@preact/signals";
import type { z } from "zod";
import type { statusShape } from "../../schema.ts";
import { get } from "./ask.ts";
import { type LiveEvent, onEvent, onLive } from "./live.ts";
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
      void readStatus();
    }, 500);
  };
  const readAll = (): void => {
    void readStatus();
    void readAgents();
  };
  const forget = [
    onLive(readAll),
    onEvent((event) => {
      if (event.kind === "agent") putAgent(event);
      soon();
    }),
  ];
  const ticking = setInterval(readAll, every);
  return () => {
    clearInterval(ticking);
    clearTimeout(due);
    for (const each of forget) each();
  };
}

async function readStatus(): Promise<void> {
  status.value = await get<Status>("/api/v1/status").catch(() => undefined);
}

async function readAgents(): Promise<void> {
  const answer = await get<{ readonly entries: readonly Agent[] }>("/api/v1/agents").catch(() => undefined);
  agents.value = answer?.entries;
}

/** Of a thousand hosts only the one that changed. */
function putAgent(event: LiveEvent): void {
  const agent = event["agent"] as Agent;
  agents.value = agents.peek()?.map((each) => (each.host === agent.host ? agent : each));
}
