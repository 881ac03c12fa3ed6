import type { z } from "zod";
import type { Code } from "../base/codes.ts";

type Tree = Record<string | number, unknown>;

/** Maps whose entries stand for themselves: one that is broken is taken out, and the rest can be checked. */
const byName: ReadonlySet<string> = new Set(["networks", "hypervisors", "hosts", "groups"]);

/**
 * What is found only because something was taken out: names that nobody defines, roles that nobody has. A file with
 * broken entries is not told about these.
 */
export const causedByAbsence: ReadonlySet<Code> = new Set<Code>(["E224", "E226", "E230"]);

/**
 * The file without the entries that the schema refuses, so that the others can be compared with each other in the
 * same run. Where the rest still has no meaning (no prefix, no gateway), the schema refuses it again.
 */
export function withoutBroken(file: object, issues: readonly z.core.$ZodIssue[]): unknown {
  const copy = structuredClone(file) as Tree;
  for (const issue of issues) {
    const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
    if (issue.code === "unrecognized_keys") for (const key of issue.keys) remove(copy, [...path, key]);
    else remove(copy, path.slice(0, byName.has(String(path[0])) ? 2 : 1));
  }
  return copy;
}

function remove(tree: Tree, path: readonly (string | number)[]): void {
  let at: unknown = tree;
  for (const part of path.slice(0, -1)) at = isTree(at) ? at[part] : undefined;
  const last = path.at(-1);
  if (isTree(at) && last !== undefined) delete at[last];
}

function isTree(found: unknown): found is Tree {
  return typeof found === "object" && found !== null;
}
