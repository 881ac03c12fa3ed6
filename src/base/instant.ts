import type { Brand } from "./brand.ts";

/** A point in time: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted. */
export type Instant = Brand<number, "Instant">;

export function instant(n: number): Instant {
  return n as Instant;
}

const shape =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/;

/**
 * Reads `2026-12-31T23:59:59Z` or with an offset (RFC 3339 §5.6, upper-case T and Z, the offset never left out).
 * A fraction of a second is cut off. Undefined for any other text, for days and hours that do not exist, and for
 * second 60.
 */
export function parseInstant(text: string): Instant | undefined {
  const found = shape.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  const [aheadHours, aheadMinutes] = [Number(found[8] ?? 0), Number(found[9] ?? 0)];
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  if (!exists || hour > 23 || minute > 59 || second > 59 || aheadHours > 23 || aheadMinutes > 59) return undefined;
  const ahead = (aheadHours * 60 + aheadMinutes) * (found[7] === "-" ? -60 : 60);
  return (((daysBefore(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - ahead) as Instant;
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** From 1970-01-01 to that day in the proleptic Gregorian calendar. */
function daysBefore(year: number, month: number, day: number): number {
  const last = year - 1;
  let days = last * 365 + Math.floor(last / 4) - Math.floor(last / 100) + Math.floor(last / 400) - 719_162;
  for (let each = 1; each < month; each++) days += daysIn(year, each);
  return days + day - 1;
}
