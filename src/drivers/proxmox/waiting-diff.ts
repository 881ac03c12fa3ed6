import { oneBlank } from "./bridge-fields.ts";

/** A line of a stanza, blanks made one. `six`: of the stanza for IPv6. */
export type EditLine = { readonly text: string; readonly six: boolean };

/** What a unified diff of interfaces(5) does to one interface. */
export type Edit = {
  /** Families whose `iface` line was added or removed. */
  readonly heads: { readonly added: Set<string>; readonly removed: Set<string> };
  readonly added: EditLine[];
  readonly removed: EditLine[];
  auto: "added" | "removed" | undefined;
};

/** Lines behind no `iface` yet: the diff begins in the middle of a stanza. Undefined names: a line outside of any. */
type Place = { readonly name: string | undefined; readonly six: boolean };
type Sides = { added: Place | "unnamed"; removed: Place | "unnamed" };

/**
 * Every line that changes, by the interface it belongs to. `holder` names the one whose stanza has these lines, asked
 * for a piece of the diff that does not show where it is. Undefined where a changed line belongs to no interface.
 */
export function readEdits(
  diff: string,
  holder: (lines: readonly string[]) => string | undefined,
): ReadonlyMap<string, Edit> | undefined {
  const edits = new Map<string, Edit>();
  for (const hunk of hunksOf(diff)) {
    if (!readHunk(hunk, edits, holder)) return undefined;
  }
  return edits;
}

function hunksOf(diff: string): readonly (readonly string[])[] {
  const hunks: string[][] = [];
  for (const line of diff.split("\n")) {
    if (line.startsWith("@@")) hunks.push([]);
    // Before the first hunk are the names of the files; `\` says that a file has no last line end.
    else if (/^[-+ ]/.test(line)) hunks.at(-1)?.push(line);
  }
  return hunks;
}

function readHunk(
  lines: readonly string[],
  edits: Map<string, Edit>,
  holder: (lines: readonly string[]) => string | undefined,
): boolean {
  const at: Sides = { added: "unnamed", removed: "unnamed" };
  const first = lines.findIndex((line) => /^.\s*(?:iface|auto)\s/.test(line));
  const unnamed = lines.slice(0, first === -1 ? lines.length : first);
  const begun = unnamed.some((line) => !line.startsWith(" ") && line.slice(1).trim() !== "")
    ? holder(
        unnamed
          .filter((line) => !line.startsWith("-"))
          .map((line) => oneBlank(line.slice(1)))
          .filter(Boolean),
      )
    : undefined;
  for (const line of lines) {
    const text = oneBlank(line.slice(1));
    const [word = "", name = "", family = ""] = text.split(" ");
    const sides = line.startsWith(" ") ? (["added", "removed"] as const) : [sideOf(line)];
    const changed = sides.length === 1 ? sides[0] : undefined;
    if (text === "") continue;
    if (word === "iface" || word === "auto") {
      for (const side of sides)
        at[side] = word === "auto" ? { name: undefined, six: false } : { name, six: family === "inet6" };
      if (changed === undefined) continue;
      const edit = editOf(edits, name);
      // Removed here and added there: it only moved.
      if (word === "auto") edit.auto = edit.auto === undefined || edit.auto === changed ? changed : undefined;
      else edit.heads[changed].add(family);
    } else if (changed !== undefined) {
      const place = at[changed] === "unnamed" ? { name: begun, six: false } : at[changed];
      if (place.name === undefined) return false;
      editOf(edits, place.name)[changed].push({ text, six: place.six });
    }
  }
  return true;
}

function sideOf(line: string): "added" | "removed" {
  return line.startsWith("+") ? "added" : "removed";
}

function editOf(edits: Map<string, Edit>, name: string): Edit {
  const found = edits.get(name) ?? {
    heads: { added: new Set(), removed: new Set() },
    added: [],
    removed: [],
    auto: undefined,
  };
  edits.set(name, found);
  return found;
}
