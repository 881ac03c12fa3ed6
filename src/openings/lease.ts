import { formatDuration, longestDuration, parseDuration } from "../base/duration.ts";
import { quote } from "../base/quote.ts";
import type { Instant, Seconds } from "../base/time.ts";
import { formatTimestamp, parseTimestamp } from "../base/timestamp.ts";
import { type Read, wrong } from "../base/wrong.ts";

/** How long something is to be open: from the moment it was first asked for, or up to a moment. */
export type Lease =
  | { readonly kind: "for"; readonly length: Seconds }
  | { readonly kind: "until"; readonly at: Instant };

/** `duration = number ("s" / "m" / "h" / "d")`, up to 3,650 days. E907 for anything else. */
export function readFor(word: string): Read<Lease> {
  const length = parseDuration(word);
  return length === undefined
    ? wrong(
        "E907",
        `Not a length of time: ${quote(word)}`,
        `write one number and one unit: 90s, 30m, 2h or 7d, at most ${formatDuration(longestDuration)}`,
      )
    : { value: { kind: "for", length } };
}

/** `time = date-time` of RFC 3339. E907 for anything else. */
export function readUntil(word: string): Read<Lease> {
  const at = parseTimestamp(word);
  return at === undefined
    ? wrong("E907", `Not a time: ${quote(word)}`, "write it as RFC 3339 has it: 2026-12-31T18:00:00Z, or with +02:00")
    : { value: { kind: "until", at } };
}

/** `for 2h`, `until 2026-12-31T18:00:00Z`. */
export function formatLease(lease: Lease): string {
  return lease.kind === "for" ? `for ${formatDuration(lease.length)}` : `until ${formatTimestamp(lease.at)}`;
}
