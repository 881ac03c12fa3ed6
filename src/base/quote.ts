import { printable } from "./printable.ts";

const longest = 80;

/** Text from outside in double quotes, cut at 80 characters, with no control or direction character left in it. */
export function quote(text: string): string {
  return printable(JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text));
}
