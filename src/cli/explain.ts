import { type Code, codes } from "../base/codes.ts";
import { Failure } from "../base/failure.ts";
import { explainField, nearestPath } from "../fleet/explain.ts";
import { type Exit, exit } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/** `sixgate explain [field | code]`: the schema's own words, or what a code means. */
export function explain(what: string | undefined, terminal: Terminal): Promise<Exit> {
  if (what !== undefined && /^[EW][0-9]{3}$/.test(what)) return Promise.resolve(explainCode(what, terminal));
  const found = explainField(what ?? "");
  if (found === undefined) {
    const near = nearestPath(what ?? "");
    throw new Failure(
      "E802",
      "explain",
      `No field "${what}" in a fleet file`,
      near === undefined ? "`sixgate explain` shows the first level" : `did you mean ${near}?`,
    );
  }
  terminal.line(what ?? "fleet.yaml", "bold");
  if (found.text !== "") terminal.line(`  ${found.text}`);
  terminal.line(`  ${found.kind}${found.required ? ", required" : ""}`, "dim");
  if (found.keys.length > 0) {
    terminal.line("");
    terminal.table(
      ["KEY", "", "WHAT IT IS"],
      found.keys.map(({ key, text, required }) => [key, required ? "required" : "", text]),
    );
  }
  terminal.result({ format: "sixgate.explain/1", ...found });
  return Promise.resolve(exit.fine);
}

function explainCode(code: string, terminal: Terminal): Exit {
  if (!(code in codes))
    throw new Failure("E802", "explain", `No code ${code}`, "the code stands behind the place in an error");
  const title = codes[code as Code];
  terminal.line(`${code}  ${title}`);
  terminal.result({ format: "sixgate.explain/1", code, title });
  return exit.fine;
}
