import type { Brand } from "./brand.ts";

/** Milliseconds since 1970-01-01 UTC. */
export type Instant = Brand<number, "Instant">;
/** A length of time in whole seconds. */
export type Seconds = Brand<number, "Seconds">;

export function seconds(n: number): Seconds {
  return n as Seconds;
}
