import type { Code } from "../base/codes.ts";
import { printable } from "../base/printable.ts";

/** What is wrong in a text and where: `column` from 0, in UTF-16 units of the line. */
export type Fault = { readonly code: Code; readonly column: number; readonly text: string; readonly fix: string };

export type Read<T> = { readonly value: T } | Fault;

export function isFault<T>(read: Read<T>): read is Fault {
  return "code" in read;
}

const longest = 80;

/** What a container said, for a message: in double quotes, cut at 80 characters, nothing left that moves a cursor or turns text around. */
export function quoted(text: string): string {
  return printable(JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text));
}
