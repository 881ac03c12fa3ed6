/**
 * The order of everything that is listed by a text: by UTF-16 code unit, as `<` has it. Never by locale, so the same
 * on every machine.
 */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
