import { type Seconds, seconds } from "../base/time.ts";

const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
] as const;

/** Ten years of 365 days: more is a slip of the pen. */
const longest = 315_360_000;

/** Reads `90s`, `30m`, `2h` or `7d`: one unit, no sign, no leading zero, 1 s to 3650 d. Undefined for anything else. */
export function parseDuration(text: string): Seconds | undefined {
  const found = /^([1-9][0-9]{0,8})([smhd])$/.exec(text);
  const unit = units.find(([letter]) => letter === found?.[2]);
  if (found === null || unit === undefined) return undefined;
  const total = Number(found[1]) * unit[1];
  return total <= longest ? seconds(total) : undefined;
}

/** In the largest unit that gives a whole number: 7200 is `2h`, 5400 is `90m`. */
export function formatDuration(length: Seconds): string {
  const [letter, size] = units.find(([, each]) => length >= each && length % each === 0) ?? (["s", 1] as const);
  return `${length / size}${letter}`;
}
