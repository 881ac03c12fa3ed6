import { styleText } from "node:util";
import { printable } from "../base/printable.ts";

export type Tone = "plain" | "good" | "bad" | "change" | "dim" | "bold";
export type Cell = string | { readonly text: string; readonly tone: Tone };

/** Where a verb speaks: results on standard output, talk on standard error. One JSON document with `--json`. */
export type Terminal = {
  readonly json: boolean;
  /** A result line, and never more than one: whatever it holds is shown as text, control characters are encoded. */
  line(text: string, tone?: Tone): void;
  /** A rendered file, byte for byte. Only for text that a driver made: it encodes what comes from outside. */
  raw(text: string): void;
  /** Columns as wide as their widest cell; a heading row in capitals. */
  table(heading: readonly string[], rows: readonly (readonly Cell[])[]): void;
  /** Talk: what is going on. Not part of the result. May have several lines, each encoded. */
  say(text: string): void;
  /** The result as one JSON document; does nothing without `--json`. */
  result(value: unknown): void;
  /** One of many results, as one line of JSON; does nothing without `--json`. For verbs whose answer goes on and on. */
  record(value: unknown): void;
};

const styles = { good: "green", bad: "red", change: "yellow", dim: "dim", bold: "bold" } as const;

function painter(stream: NodeJS.WriteStream, colour: boolean): (text: string, tone: Tone) => string {
  const on = colour && stream.isTTY && (process.env["NO_COLOR"] ?? "") === "";
  return (text, tone) => (on && tone !== "plain" ? styleText(styles[tone], text) : text);
}

export function openTerminal(options: { readonly json: boolean; readonly color: boolean }): Terminal {
  const paint = painter(process.stdout, options.color);
  let recorded = false;
  const write = (text: string): void => {
    if (!options.json) process.stdout.write(`${text}\n`);
  };
  return {
    json: options.json,
    line: (text, tone = "plain") => write(paint(printable(text), tone)),
    raw: (text) => write(text.replace(/\n$/, "")),
    table: (heading, rows) => {
      for (const line of layOut(heading, rows, paint)) write(line);
    },
    say: (text) => void process.stderr.write(`${text.split("\n").map(printable).join("\n")}\n`),
    result: (value) => {
      // Behind records it has to be a line too.
      if (options.json) process.stdout.write(`${JSON.stringify(value, null, recorded ? 0 : 2)}\n`);
    },
    record: (value) => {
      recorded = true;
      if (options.json) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
  };
}

function cellOf(cell: Cell): { readonly text: string; readonly tone: Tone } {
  return typeof cell === "string"
    ? { text: printable(cell), tone: "plain" }
    : { text: printable(cell.text), tone: cell.tone };
}

function layOut(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  paint: (text: string, tone: Tone) => string,
): readonly string[] {
  const cells = [heading.map((text) => ({ text, tone: "dim" as Tone })), ...rows.map((row) => row.map(cellOf))];
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => row[column]?.text.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) =>
        paint(column === row.length - 1 ? cell.text : cell.text.padEnd(widths[column] ?? 0), cell.tone),
      )
      .join("  ")
      .trimEnd(),
  );
}
