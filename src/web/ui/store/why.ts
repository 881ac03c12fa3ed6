import { type Signal, signal } from "@preact/signals";

/** A question for GET /api/v1/why. `to`: `vm1/web:443`, `[2001:db8::1]:443/udp`; `from` is the Internet unless it is said. */
export type WhyQuestion = { readonly to: string; readonly from?: string };

export const question: Signal<WhyQuestion | undefined> = signal<WhyQuestion | undefined>(undefined);

/** Opens the panel with the chain of reasons. */
export function askWhy(asked: WhyQuestion): void {
  question.value = asked;
}
