import type { Verdict } from "../lab/truth.ts";
import type { Cell, Terminal } from "./terminal.ts";

/** The truth table: all rows, the failed ones, or those that are or should be open. */
export function verdictTable(
  verdicts: readonly Verdict[],
  terminal: Terminal,
  which: "all" | "failed" | "opened",
): void {
  const shown = verdicts.filter(
    ({ passed, row, answer }) =>
      which === "all" ||
      !passed ||
      (which === "opened" && isOutside(row.from) && (row.want === "open" || answer.state === "open")),
  );
  if (shown.length === 0) return;
  const rows = shown.map(({ row, answer, passed }): readonly Cell[] => [
    passed ? { text: "PASS", tone: "good" } : { text: "FAIL", tone: "bad" },
    `${row.from} → ${row.to}`,
    row.what,
    row.want,
    answer.state,
    `${answer.reason} ${answer.ms} ms`,
  ]);
  terminal.table(["TEST", "FROM → TO", "WHAT", "WANT", "SEEN", "REASON"], rows);
  const rest = verdicts.length - shown.length;
  if (rest > 0)
    terminal.line(
      `and ${rest} more that passed: closed where nothing was asked for${which === "opened" ? ", and between hosts as the policy says" : ""}`,
      "dim",
    );
}

function isOutside(from: string): boolean {
  return !from.includes("/");
}
