import { z } from "zod";
import { Failure } from "../../base/failure.ts";
import { canonicalEntry } from "./pfctl.ts";

/** Who answers, and the sentence that says which versions of it are understood. */
export type Answering = { readonly name: string; readonly versions: string };

/** A field that nobody set is null, empty or missing in the answers of both products, and undefined here. */
export const text = z
  .string()
  .nullish()
  .transform((found) => (found === null || found === "" ? undefined : found));

/** E517: an answer of another shape than those of the versions we know. */
export function notUnderstood({ name, versions }: Answering, path: string, detail?: string): Failure {
  const more = detail === undefined ? "" : `: ${detail}`;
  return new Failure("E517", name, `The answer to ${path} is not understood${more}`, versions);
}

/** An answer in its shape. Throws a Failure with E517 that names the first field that is not as it should be. */
export function parseAnswer<T>(by: Answering, shape: z.ZodType<T>, path: string, found: unknown): T {
  const parsed = shape.safeParse(found);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw notUnderstood(by, path, `${issue?.path.map(String).join(".")} ${issue?.message}`);
}

/** Entries of an alias or a table, as pf has them and sorted. */
export function canonicalEntries(entries: readonly string[]): readonly string[] {
  return entries.map((each) => canonicalEntry(each.trim()) ?? each.trim()).sort();
}
