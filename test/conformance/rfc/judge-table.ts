import { z } from "zod";
import type { Row, Table } from "./table.ts";

/** A program that attacks, and how little it must have done for its silence to mean something. */
const tool = z.strictObject({
  from: z.enum(["internet", "vm1"]),
  /** A line for sh; `{shut}` and the like are names of the bench. */
  run: z.string(),
  /** It is ended after so long; many never end by themselves. */
  seconds: z.number(),
  /** Instead, where there is little time. */
  quick: z.number().optional(),
  /** So many packets of it have to come to the gateway. */
  reaches: z.number(),
});
export type Tool = z.output<typeof tool>;

export const judgesFile = z.strictObject({
  kind: z.literal("judges"),
  id: z.string(),
  title: z.string(),
  source: z.string(),
  text: z.string().optional(),
  rows: z.array(
    z.strictObject({
      id: z.string(),
      source: z.string(),
      requirement: z.string(),
      procedure: z.string().optional(),
      tool: tool.optional(),
    }),
  ),
});

export function judgeTable(file: z.output<typeof judgesFile>): Table {
  const rows = file.rows.map((row): Row => ({ ...row, table: file.id, as: [], reads: [], timers: [], cases: [] }));
  return { id: file.id, title: file.title, source: file.source, text: file.text, rows };
}
