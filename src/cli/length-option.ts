import { parseDuration } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import { quote } from "../base/quote.ts";
import type { Seconds } from "../base/time.ts";

/** The length of time behind `--for`. `such`: lengths that make sense there. Throws a Failure with E802. */
export function lengthOption(text: string, such: string): Seconds {
  const length = parseDuration(text);
  if (length !== undefined) return length;
  throw new Failure(
    "E802",
    "--for",
    `Not a length of time: ${quote(text)}`,
    `write one number and one unit, as ${such}`,
  );
}
