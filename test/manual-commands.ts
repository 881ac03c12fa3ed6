import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const project = join(import.meta.dirname, "..");

/** A command that a page tells its reader to give. */
export type ShownCommand = {
  /** `docs/lab.md:12`. */
  readonly at: string;
  readonly page: string;
  /** As it stands there, continued lines joined, without its comment. */
  readonly text: string;
  readonly program: string;
  /** Words behind the program as a shell splits them, without redirections. */
  readonly words: readonly string[];
};

/** Pages that people read, without those that the program itself writes and the records of decisions. */
export function manualPages(): readonly string[] {
  const docs = readdirSync(join(project, "docs"), { encoding: "utf8" }).filter((name) => name.endsWith(".md"));
  return ["README.md", "CONTRIBUTING.md", "examples/compose/README.md", ...docs.sort().map((name) => `docs/${name}`)];
}

export function readPage(page: string): string {
  return readFileSync(join(project, page), "utf8");
}

/** Every command in a fenced block marked `sh`. */
export function shownCommands(page: string): readonly ShownCommand[] {
  const lines = readPage(page).split("\n");
  const found: ShownCommand[] = [];
  let inBlock = false;
  let begun: { text: string; line: number } | undefined;
  for (const [n, line] of lines.entries()) {
    if (line.startsWith("```")) {
      inBlock = line === "```sh";
      continue;
    }
    if (!inBlock || /^\s*(?:#|$)/.test(line)) continue;
    const text = begun === undefined ? line.trim() : `${begun.text} ${line.trim()}`;
    begun = { text: text.replace(/\\$/, "").trim(), line: begun?.line ?? n + 1 };
    // A quote that is still open goes on in the next line.
    if (text.endsWith("\\") || splitWords(begun.text) === undefined) continue;
    found.push(commandOf(page, begun));
    begun = undefined;
  }
  if (begun !== undefined) throw new Error(`${page}:${begun.line} does not end: ${begun.text}`);
  return found;
}

function commandOf(page: string, { text, line }: { readonly text: string; readonly line: number }): ShownCommand {
  const plain = text.replace(/^\{ /, "").replace(/^sudo (?:-u \S+ )?/, "");
  const words = splitWords(plain) ?? [];
  const [program = "", ...rest] = words;
  const end = rest.findIndex((word) => /^(?:[|;<>&]|#)/.test(word));
  return {
    at: `${page}:${line}`,
    page,
    text,
    program: program.replace(/^\.\//, ""),
    words: end < 0 ? rest : rest.slice(0, end),
  };
}

/** Splits at blanks outside of quotes; a comment ends it. Undefined when a quote is open at the end. */
function splitWords(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (const letter of text) {
    if (quote !== "") {
      if (letter === quote) quote = "";
      else word = `${word ?? ""}${letter}`;
    } else if (letter === "'" || letter === '"') {
      quote = letter;
      word ??= "";
    } else if (/\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (letter === "#" && word === undefined) return words;
    else word = `${word ?? ""}${letter}`;
  }
  if (quote !== "") return undefined;
  return word === undefined ? words : [...words, word];
}
