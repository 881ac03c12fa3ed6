import fc from "fast-check";
import { expect, test } from "vitest";
import { cdata, child, childrenOf, type Edit, escapeXml, readConfig, splice, textOf } from "./xml.ts";

const text = `<?xml version="1.0"?>
<pfsense>
\t<version>24.5</version>
\t<system><hostname>fw é 😀</hostname><ipv6allow></ipv6allow><note a="x>y"/></system>
\t<aliases>
\t\t<alias><name>web</name><descr><![CDATA[a <b> & c]]></descr></alias>
\t</aliases>
</pfsense>
`;

test("readConfig gives elements with their text and where they stand, also behind characters of several bytes", () => {
  const file = readConfig(text);
  const alias = childrenOf(child(file.root, "aliases"), "alias")[0];
  expect(textOf(alias, "descr")).toBe("a <b> & c");
  expect(textOf(file.root, "system", "ipv6allow")).toBe("");
  expect(textOf(file.root, "system", "none")).toBeUndefined();
  const at = (span: { start: number; end: number } | undefined): string => text.slice(span?.start, span?.end);
  expect(at(alias?.outer)).toBe("<alias><name>web</name><descr><![CDATA[a <b> & c]]></descr></alias>");
  expect(at(child(alias, "name")?.inner)).toBe("web");
  expect(at(child(file.root, "system", "ipv6allow")?.inner)).toBe("");
  const note = child(file.root, "system", "note");
  expect([at(note?.outer), note?.inner]).toEqual(['<note a="x>y"/>', undefined]);
});

test("splice changes what it is told and keeps every other byte", () => {
  const file = readConfig(text);
  expect(splice(file, [])).toBe(text);
  const alias = childrenOf(child(file.root, "aliases"), "alias")[0];
  const name = child(alias, "name")?.inner;
  if (alias === undefined || name === undefined) throw new Error("no alias");
  const edits: readonly Edit[] = [
    { at: { start: alias.outer.end, end: alias.outer.end }, text: "\n\t\t<alias>2</alias>" },
    { at: name, text: "wéb" },
  ];
  expect(splice(file, edits)).toBe(
    text
      .replace("<name>web</name>", "<name>wéb</name>")
      .replace("]]></descr></alias>", "]]></descr></alias>\n\t\t<alias>2</alias>"),
  );
  expect(() =>
    splice(file, [
      { at: alias.outer, text: "" },
      { at: name, text: "" },
    ]),
  ).toThrow(RangeError);
});

test("readConfig refuses what is no such file", () => {
  for (const bad of ["", "<a><b></a>", text.replaceAll("\n", "\r\n"), `\ufeff${text}`])
    expect(() => readConfig(bad)).toThrow();
});

test("escapeXml and cdata give back any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "<", ">", "&", "]", "é", '"') }), (given) => {
      const { root } = readConfig(`<r><a>x${escapeXml(given)}x</a><b>x${cdata(given)}x</b></r>`);
      expect([textOf(root, "a"), textOf(root, "b")]).toEqual([`x${given}x`, `x${given}x`]);
    }),
  );
});
