import { isMarked } from "./names.ts";
import { type ConfigElement, type ConfigFile, child, childrenOf, readConfig, splice, textOf } from "./xml.ts";
import { listEdits, setText, type Written } from "./xml-write.ts";

/** A section of a configuration file with what it should hold of ours. */
export type Section = {
  /** Below the root: `["nat", "outbound"]`. */
  readonly path: readonly string[];
  /** The name of the list's elements. */
  readonly name: string;
  readonly written: readonly Written[];
  /** Texts that stand once in it. */
  readonly once?: readonly Written[];
};

export type SectionStyle = {
  readonly indent: string;
  /** Attributes of elements that are made on the way to a list, by their names. */
  readonly attributes?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

/** The file with the section's own elements replaced; a section that is missing is made at the end. */
export function withSection(file: ConfigFile, section: Section, style: SectionStyle): ConfigFile {
  const { path, name, written, once = [] } = section;
  const { indent } = style;
  const there = child(file.root, ...path);
  if (there === undefined) return withNewSection(file, section, style);
  const ours = (each: ConfigElement): boolean =>
    each.name === name && isMarked(textOf(each, "descr") ?? textOf(each, "description") ?? "");
  const present = (each: Written): boolean => childrenOf(there, each.name).length > 0;
  const edits = [
    ...once.filter(present).flatMap((each) => setText(file, there, each, { indent, level: path.length })),
    ...listEdits(file, there, ours, [...once.filter((each) => !present(each)), ...written], {
      indent,
      level: path.length,
    }),
  ];
  return edits.length === 0 ? file : readConfig(splice(file, edits));
}

function withNewSection(file: ConfigFile, { path, written, once = [] }: Section, style: SectionStyle): ConfigFile {
  const { indent, attributes = {} } = style;
  if (written.length + once.length === 0) return file;
  // Inside as much of the way as there is.
  const level = path.filter((_, i) => child(file.root, ...path.slice(0, i + 1)) !== undefined).length;
  const made = path.slice(level).reduceRight<readonly Written[]>(
    (children, each) => {
      const own = attributes[each];
      return [{ name: each, children, ...(own === undefined ? {} : { attributes: own }) }];
    },
    [...once, ...written],
  );
  const holder = child(file.root, ...path.slice(0, level)) ?? file.root;
  return readConfig(
    splice(
      file,
      listEdits(file, holder, () => false, made, { indent, level }),
    ),
  );
}

/** The file with what an interface should have, as texts that stand once in its element. */
export function withInterface(
  file: ConfigFile,
  device: string,
  written: readonly Written[],
  indent: string,
): ConfigFile {
  const element = child(file.root, "interfaces")?.children.find((each) => textOf(each, "if") === device);
  if (element === undefined) throw new Error(`it has no interface on ${device}`);
  const edits = written.flatMap((each) => setText(file, element, each, { indent, level: 2 }));
  return edits.length === 0 ? file : readConfig(splice(file, edits));
}

/** The product's own names of the interfaces by device. Throws an Error where one that is needed is missing. */
export function interfacesIn(root: ConfigElement, needed: readonly string[]): ReadonlyMap<string, string> {
  const found = child(root, "interfaces")?.children ?? [];
  const ids = new Map(found.map((each) => [textOf(each, "if") ?? "", each.name]));
  for (const device of needed) if (!ids.has(device)) throw new Error(`it has no interface on ${device}`);
  return ids;
}
