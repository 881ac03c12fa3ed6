import { type Instant, instant } from "./time.ts";

// By arithmetic on the proleptic Gregorian calendar: `Date` is the clock's, and reads far more than RFC 3339.

const shape =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/;
const day = 86_400_000;

/**
 * Reads a date-time of RFC 3339 §5.6, `2026-12-31T18:00:00Z` or with an offset. Fractions count to the millisecond.
 * Undefined for anything else: days that no month has, leap seconds (:60, which no clock of ours shows), years before 1970.
 */
export function parseTimestamp(text: string): Instant | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [year, month, date, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [offsetHours, offsetMinutes] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  if (month < 1 || month > 12 || date < 1 || date > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return undefined;
  const offset = (match[8] === "-" ? -1 : 1) * (offsetHours * 60 + offsetMinutes) * 60_000;
  const milliseconds = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  const time = ((hour * 60 + minute) * 60 + second) * 1_000 + milliseconds;
  const found = daysBefore(year, month, date) * day + time - offset;
  return found < 0 ? undefined : instant(found);
}

/** `2026-12-31T18:00:00Z`, in whole seconds, rounded down. From 1970 to 9999; not checked. */
export function formatTimestamp(at: Instant): string {
  const days = Math.floor(at / day);
  const second = Math.floor((at - days * day) / 1_000);
  const time = [Math.floor(second / 3_600), Math.floor(second / 60) % 60, second % 60];
  return `${formatDate(days)}T${time.map((part) => String(part).padStart(2, "0")).join(":")}Z`;
}

/** Days since 1970-01-01. Years begin in March, so that the leap day is their last. */
function daysBefore(year: number, month: number, date: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + date - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

function formatDate(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const march = Math.floor((5 * dayOfYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const date = dayOfYear - Math.floor((153 * march + 2) / 5) + 1;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(date).padStart(2, "0")}`;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
