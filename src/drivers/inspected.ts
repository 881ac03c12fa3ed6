import type { Code } from "../base/codes.ts";

/** Something that `doctor` looked at. A fix is there where it is not fine; `note`: worth knowing, and no obstacle. */
export type Inspected = {
  readonly what: string;
  readonly found: string;
  readonly note?: boolean;
  readonly code?: Code;
  readonly fix?: string;
};

/** More than a minute apart, the times in the device's log and in our journal can't be compared. */
const farApart = 60;

/** Both in milliseconds since 1970; `theirs` is undefined or NaN where the device does not tell. */
export function inspectClock(theirs: number | undefined, ours: number): Inspected {
  if (theirs === undefined || Number.isNaN(theirs)) return { what: "clock", found: "not told", note: true };
  const apart = Math.round(Math.abs(ours - theirs) / 1000);
  const found = `${apart} s from ours`;
  if (apart <= farApart) return { what: "clock", found };
  return { what: "clock", found, code: "E611", fix: "let NTP set it, on the device and on this machine" };
}

/** Which of the questions that a driver asks are not answered for want of a right; each is told by its path. */
export function inspectRights(refused: readonly string[], page: string, writing: string): Inspected {
  const what = "rights of the key";
  if (refused.length === 0) return { what, found: `may read all that is read; ${writing}` };
  return {
    what,
    found: `${refused.length} missing: ${refused.join(", ")}`,
    code: "E610",
    fix: `give the key's user the privileges that ${page} lists`,
  };
}
