import { type Row, textOf } from "./api.ts";

/**
 * The first line of the notes of a clone that is not finished: set by the call that makes it, so there is no moment
 * without, and taken out once it was started. People see it in Proxmox too.
 */
const mark = /^sixgate: begun from (\d+)\b/;

/** Notes of a VM that is being made: our line, then the template's own notes. */
export function begunNotes(template: number, notes: string): string {
  return [
    `sixgate: begun from ${template}, finished by the next "sixgate apply"`,
    ...(notes === "" ? [] : [notes]),
  ].join("\n");
}

/** The template's number, or undefined of a VM that is whole. */
export function begunFrom(config: Row): number | undefined {
  const found = mark.exec(notesIn(config))?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The notes without our line; empty where there are none beside. */
export function finishedNotes(config: Row): string {
  const [first = "", ...rest] = notesIn(config).split("\n");
  return mark.test(first) ? rest.join("\n") : notesIn(config);
}

/** As Proxmox gives them back, with a line end behind the last. */
export function notesIn(config: Row): string {
  return (textOf(config, "description") ?? "").trim();
}
