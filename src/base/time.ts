import type { Brand } from "./brand.ts";

/** A length of time in whole seconds. */
export type Seconds = Brand<number, "Seconds">;

export function seconds(n: number): Seconds {
  return n as Seconds;
}
