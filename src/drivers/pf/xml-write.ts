import { type ConfigElement, type ConfigFile, cdata, childrenOf, type Edit, escapeXml } from "./xml.ts";

/** An element to be written: a name, with text, with text as CDATA, or with elements. Empty text is `<name></name>`. */
export type Written = {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly prose?: string;
  readonly children?: readonly Written[];
};

export function leaf(name: string, text = ""): Written {
  return { name, text };
}

/** What people wrote, or should read. */
export function prose(name: string, text: string): Written {
  return { name, prose: text };
}

export function branch(name: string, ...children: readonly Written[]): Written {
  return { name, children };
}

/** As the products write it: one element a line, `indent` once for each level. Ends with a line end. */
export function formatWritten(written: Written, indent: string, level: number): string {
  const space = indent.repeat(level);
  const attributes = Object.entries(written.attributes ?? {}).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  const open = `${space}<${written.name}${attributes.join("")}>`;
  if (written.children === undefined) {
    const text = written.prose === undefined ? escapeXml(written.text ?? "") : cdata(written.prose);
    return `${open}${text}</${written.name}>\n`;
  }
  const inner = written.children.map((each) => formatWritten(each, indent, level + 1)).join("");
  return `${open}\n${inner}${space}</${written.name}>\n`;
}

/**
 * The edits that give a list its elements: those that `isOurs` go, each with its line, and `written` come at the end.
 * `list` is the element that holds them, `level` its depth.
 */
export function listEdits(
  file: ConfigFile,
  list: ConfigElement,
  isOurs: (each: ConfigElement) => boolean,
  written: readonly Written[],
  { indent, level }: { readonly indent: string; readonly level: number },
): readonly Edit[] {
  const gone = list.children.filter(isOurs).map((each) => ({ at: lineOf(file, each), text: "" }));
  const text = written.map((each) => formatWritten(each, indent, level + 1)).join("");
  if (text === "") return gone;
  const { inner } = list;
  const space = indent.repeat(level);
  // `<aliases/>`: there is no inside yet.
  if (inner === undefined) return [{ at: list.outer, text: `<${list.name}>\n${text}${space}</${list.name}>` }];
  const end = startOfLine(file.text, inner.end);
  const onOwnLine = end > inner.start && file.text.slice(end, inner.end).trim() === "";
  const at = onOwnLine ? { start: end, end } : { start: inner.end, end: inner.end };
  return [...gone, { at, text: onOwnLine ? text : `\n${text}${space}` }];
}

/** An element with the blanks before it and the line end behind it, where nothing else is on its lines. */
function lineOf({ text }: ConfigFile, { outer }: ConfigElement): Edit["at"] {
  const start = startOfLine(text, outer.start);
  const behind = text.indexOf("\n", outer.end);
  const alone =
    text.slice(start, outer.start).trim() === "" && behind >= 0 && text.slice(outer.end, behind).trim() === "";
  return alone ? { start, end: behind + 1 } : outer;
}

function startOfLine(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

/** The edit that gives an element a child with that text, in its place or as a new last one. */
export function setText(
  file: ConfigFile,
  of: ConfigElement,
  written: Written,
  { indent, level }: { readonly indent: string; readonly level: number },
): readonly Edit[] {
  const [there] = childrenOf(of, written.name);
  const whole = formatWritten(written, indent, level + 1);
  if (there !== undefined) {
    const same =
      written.children === undefined &&
      there.children.length === 0 &&
      there.text === (written.prose ?? written.text ?? "");
    return same ? [] : [{ at: there.outer, text: whole.trim() }];
  }
  return listEdits(file, of, () => false, [written], { indent, level });
}
