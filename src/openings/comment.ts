import { type Read, wrong } from "../base/wrong.ts";
import { labelLimits } from "./label-limits.ts";

/** Controls, line separators, marks and overrides of direction, halves of characters: nothing that can be seen. */
const unseen = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Any visible text: it is shown to people beside what was opened. E901 where it is too long, E904 for hidden characters. */
export function readComment(text: string): Read<string> {
  if (text.length > labelLimits.comment)
    return wrong("E901", `Comment of ${text.length} characters`, `keep it to ${labelLimits.comment}`);
  return unseen.test(text.replaceAll("\t", " "))
    ? wrong("E904", "Comment has a control or direction character", "take it out: it is to be read as it stands")
    : { value: text };
}
