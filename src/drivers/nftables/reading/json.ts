/** What nft's JSON is made of. */
export type Json = { readonly [key: string]: unknown };

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The one key of `{ key: body }`, as expressions, statements and objects are written; undefined for anything else. */
export function only(value: unknown): readonly [key: string, body: unknown] | undefined {
  if (!isJson(value)) return undefined;
  const [first, ...more] = Object.entries(value);
  return more.length === 0 ? first : undefined;
}

export function textIn(fields: Json, key: string): string {
  const value = fields[key];
  if (typeof value === "string") return value;
  throw new Error(`nft's listing has no ${key} in ${JSON.stringify(fields).slice(0, 120)}`);
}

/** A word or a number as text, nothing else. */
export function wordIn(fields: Json, key: string): string {
  const value = fields[key];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** A list of words; nft 1.1 writes a list of one as the one. */
export function wordsOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}
