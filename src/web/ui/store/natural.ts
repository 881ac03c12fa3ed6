/** A key by which `vm2` stands before `vm10`. Numbers longer than nine digits stand by their first ones. */
export function naturalKey(text: string): string {
  return text.replace(/\d{1,9}/g, (digits) => digits.padStart(9, "0"));
}
