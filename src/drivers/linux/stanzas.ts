/**
 * One piece of an interfaces(5) file; the texts of all pieces in order are the file, byte for byte. `options` are
 * the lines under an `iface` in their own words: trimmed, continuation lines joined; comments are not options.
 */
export type Piece =
  | {
      readonly kind: "iface";
      readonly text: string;
      readonly name: string;
      readonly family: string;
      readonly method: string;
      readonly options: readonly Option[];
      readonly comments: readonly string[];
    }
  | { readonly kind: "auto"; readonly text: string; readonly names: readonly string[] }
  /** Anything else: source lines, mappings, allow-hotplug, blank lines, comments of their own. */
  | { readonly kind: "other"; readonly text: string };
export type Iface = Extract<Piece, { kind: "iface" }>;
export type Option = { readonly key: string; readonly value: string; readonly text: string };

/** What ends a stanza: the words of ifupdown 0.8 and ifupdown2 that start something of their own. */
const starts =
  /^\s*(?:auto|allow-\S+|iface|vlan|mapping|source|source-directory|rename|no-auto-down|no-scripts|template)(?=\s|$)/;

/** Never fails: what is not understood is a piece of kind `other`. */
export function readPieces(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  const lines = logicalLines(text);
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const end = /^\s*iface\s/.test(line) ? endOfStanza(lines, at) : at + 1;
    pieces.push(pieceOf(lines.slice(at, end)));
    at = end;
  }
  return pieces;
}

export function writePieces(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join("");
}

/** Lines with their ends; a backslash before the end joins the next one, as interfaces(5) has it. */
function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  let open = false;
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    if (open) lines.push((lines.pop() ?? "") + line);
    else lines.push(line);
    open = /\\\n?$/.test(line) && !/^\s*#/.test(lines.at(-1) ?? "");
  }
  return lines;
}

/** Behind the last option, or the comments that stand right under it (Proxmox shows those as the interface's comment). */
function endOfStanza(lines: readonly string[], start: number): number {
  let end = start + 1;
  for (let at = start + 1; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (starts.test(line)) break;
    const blank = line.trim() === "";
    const comment = /^\s*#/.test(line);
    if ((!blank && !comment) || (comment && end === at)) end = at + 1;
  }
  return end;
}

function pieceOf(lines: readonly string[]): Piece {
  const text = lines.join("");
  const [word, ...rest] = join(lines[0] ?? "").split(/\s+/);
  if (word === "auto") return { kind: "auto", text, names: rest };
  const [name, family = "", method = ""] = rest;
  if (word !== "iface" || name === undefined) return { kind: "other", text };
  const under = lines.slice(1);
  return {
    kind: "iface",
    text,
    name,
    family,
    method,
    options: under.filter((line) => !/^\s*(?:#|$)/.test(line)).map(optionOf),
    comments: under.filter((line) => /^\s*#/.test(line)).map((line) => line.trim().slice(1)),
  };
}

/** `bridge_ports` and `bridge-ports` are one key. */
function optionOf(line: string): Option {
  const [, key = "", value = ""] = /^(\S+)\s*([^]*)$/.exec(join(line)) ?? [];
  return { key: key.replaceAll("_", "-").toLowerCase(), value, text: line };
}

function join(line: string): string {
  return line.replaceAll(/\\\n\s*/g, " ").trim();
}
