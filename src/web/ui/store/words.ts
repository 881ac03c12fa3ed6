/** Whether a text, in small letters, has every word of a search; a search without words fits all. */
export function matcherOf(search: string): (text: string) => boolean {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return (text) => words.every((word) => text.includes(word));
}
