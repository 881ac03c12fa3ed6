/** The text between a page's two marks of a name, without the line ends beside them; undefined when there are none. */
export function betweenMarks(page: string, mark: string): string | undefined {
  const at = placesOf(page, mark);
  return at === undefined ? undefined : page.slice(at.from, at.to).replace(/^\n/, "").replace(/\n$/, "");
}

/** The page with another text between the marks. Throws where there are none. */
export function withBetween(page: string, mark: string, text: string): string {
  const at = placesOf(page, mark);
  if (at === undefined) throw new Error(`The page has no marks ${begins(mark)} and ${ends(mark)}`);
  return `${page.slice(0, at.from)}\n${text}\n${page.slice(at.to)}`;
}

function placesOf(page: string, mark: string): { readonly from: number; readonly to: number } | undefined {
  const from = page.indexOf(begins(mark));
  const to = page.indexOf(ends(mark));
  return from < 0 || to < from ? undefined : { from: from + begins(mark).length, to };
}

function begins(mark: string): string {
  return `<!-- ${mark} -->`;
}

function ends(mark: string): string {
  return `<!-- /${mark} -->`;
}
