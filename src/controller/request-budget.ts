import { wrong } from "../base/wrong.ts";
import type { ContainerReport } from "../openings/container-report.ts";
import type { OpeningPolicy } from "../openings/policy.ts";
import { type Refusal, refuse } from "../openings/refusal.ts";

/** Requests of one container that are looked at, whatever it may have open. */
const mostOfContainer = 1024;

/**
 * How many requests another container of a host may have, when the host's others have so many: several times of what
 * could be open at all. What is asked beyond costs work and memory, and can't be granted anyway.
 */
export function allowance(limits: OpeningPolicy["limits"], others: number): number {
  return Math.max(0, Math.min(mostOfContainer, 4096 + 8 * limits.perHost - others));
}

/** For a container that asks for more: nothing of it is looked at. */
export function overBudget(report: ContainerReport, asked: number, within: number): Refusal {
  const text = `Container ${report.name} asks for ${asked} openings, ${within} more are looked at on this host`;
  const what = wrong("E918", text, "ask for fewer, as ranges of ports; or raise policy.limits.per-host");
  return refuse({ at: "sixgate", text: report.name }, what);
}
