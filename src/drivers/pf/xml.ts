import { parseXml, type XmlElement, XmlNode } from "@rgrove/parse-xml";

/** An element of a configuration file, with where it stands in the file's text: `outer` with its tags, `inner` without. */
export type ConfigElement = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly outer: Span;
  /** Undefined where it closes itself: `<name/>`. */
  readonly inner?: Span;
  readonly children: readonly ConfigElement[];
  /** All text in it, character references resolved, without the blanks around. */
  readonly text: string;
};

type Span = { readonly start: number; readonly end: number };

/** One replacement: `at.start` equal to `at.end` inserts. */
export type Edit = { readonly at: Span; readonly text: string };

/** A configuration file as it was read. Edits count in UTF-16 units of `text`, as the parser does, whatever it calls them. */
export type ConfigFile = { readonly text: string; readonly root: ConfigElement };

/** Throws an Error whose message says where, for text that is no XML, or has line ends that its parser would not keep. */
export function readConfig(text: string): ConfigFile {
  if (text.includes("\r")) throw new Error("it has carriage returns, which these products never write");
  if (text.includes("\ufeff")) throw new Error("it begins with a byte order mark, which these products never write");
  const { root } = parseXml(text, { includeOffsets: true });
  if (root === null) throw new Error("it has no root element");
  return { text, root: elementOf(root, text) };
}

function elementOf(element: XmlElement, text: string): ConfigElement {
  const outer = { start: element.start, end: element.end };
  const open = openTagEnd(text, element.start);
  return {
    name: element.name,
    attributes: element.attributes,
    outer,
    ...(text[open - 2] === "/" ? {} : { inner: { start: open, end: text.lastIndexOf("</", element.end - 1) } }),
    children: element.children.filter(isElement).map((each) => elementOf(each, text)),
    text: element.text.trim(),
  };
}

function isElement(node: XmlNode): node is XmlElement {
  return node.type === XmlNode.TYPE_ELEMENT;
}

/** Behind the `>` of the tag at `start`; one in an attribute's quotes is none. */
function openTagEnd(text: string, start: number): number {
  let quote = "";
  for (let at = start; at < text.length; at++) {
    const sign = text.charAt(at);
    if (quote !== "") {
      if (sign === quote) quote = "";
    } else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === ">") return at + 1;
  }
  throw new Error(`a tag does not end, at ${start}`);
}

export function child(of: ConfigElement | undefined, ...names: readonly string[]): ConfigElement | undefined {
  let found = of;
  for (const name of names) found = found?.children.find((each) => each.name === name);
  return found;
}

export function childrenOf(of: ConfigElement | undefined, name: string): readonly ConfigElement[] {
  return of?.children.filter((each) => each.name === name) ?? [];
}

/** The text of a child, or undefined where there is no such child. */
export function textOf(of: ConfigElement | undefined, ...names: readonly string[]): string | undefined {
  return child(of, ...names)?.text;
}

/** The file with the edits made and everything else as it was. Throws a RangeError where two edits overlap. */
export function splice({ text: whole }: ConfigFile, edits: readonly Edit[]): string {
  let made = "";
  let done = 0;
  // Insertions at one place stay in turn: the sort is stable.
  for (const { at, text } of edits.toSorted((a, b) => a.at.start - b.at.start || a.at.end - b.at.end)) {
    if (at.start < done) throw new RangeError(`Edits overlap at ${at.start}`);
    made += whole.slice(done, at.start) + text;
    done = at.end;
  }
  return made + whole.slice(done);
}

/** Text between tags. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** As both products write what people typed. */
export function cdata(text: string): string {
  return `<![CDATA[${text.replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;
}
