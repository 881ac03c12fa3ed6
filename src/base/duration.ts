import { type Seconds, seconds } from "./time.ts";

const units: readonly (readonly [string, number])[] = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
];

/** The longest that can be written: 3,650 days. Kernel timeouts and milliseconds in a double are far from their ends. */
export const longestDuration: Seconds = seconds(3_650 * 86_400);

/**
 * A length of time as people write it: a whole number from 1 and one unit, `90s`, `30m`, `2h`, `7d`. Undefined for
 * anything else, and for more than {@link longestDuration}.
 */
export function parseDuration(text: string): Seconds | undefined {
  const match = /^([1-9][0-9]{0,8})([smhd])$/.exec(text);
  const unit = units.find(([letter]) => letter === match?.[2]);
  if (match === null || unit === undefined) return undefined;
  const length = Number(match[1]) * unit[1];
  return length <= longestDuration ? seconds(length) : undefined;
}

/** In the largest unit that leaves nothing over: 7200 is `2h`, 90 is `90s`. What `parseDuration` reads back, from 1 on. */
export function formatDuration(length: Seconds): string {
  const [letter, size] = units.find(([, each]) => length >= each && length % each === 0) ?? ["s", 1];
  return `${length / size}${letter}`;
}
