import type { Brand } from "./brand.ts";

/** A length of time in whole seconds. */
export type Seconds = Brand<number, "Seconds">;

/** A moment: milliseconds since 1970-01-01 UTC. */
export type Instant = Brand<number, "Instant">;

export function seconds(n: number): Seconds {
  return n as Seconds;
}

export function instant(milliseconds: number): Instant {
  return milliseconds as Instant;
}
