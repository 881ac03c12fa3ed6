import { Failure } from "../../base/failure.ts";
import { canonicalEntries } from "../pf/answers.ts";
import { type Rest, versions } from "./api.ts";
import type { Kernel } from "./in-force.ts";

/** pf's tables by the API, where there is no shell: one question for each, since all at once takes a process for each. */
export function tablesBy(rest: Rest): Kernel["tables"] {
  return async (names, signal) => {
    const found = new Map<string, readonly string[]>();
    for (const name of names) {
      const row = await rest.find("/diagnostics/table", { id: name }, signal);
      if (row === undefined) continue;
      const entries = row["entries"];
      if (!Array.isArray(entries))
        throw new Failure("E517", rest.name, `Table ${name} has no list of entries`, versions);
      found.set(name, canonicalEntries(entries.map(String)));
    }
    return found;
  };
}
