/**
 * Reads a strict dotted quad (RFC 3986 §3.2.2 `IPv4address`) in `text[start, end)`: four decimals 0-255 without
 * leading zeros, for `010` is 8 to some readers and 10 to others. Gives the 32-bit number, or -1.
 */
export function parseQuad(text: string, start: number, end: number): number {
  let value = 0;
  let at = start;
  for (let octet = 0; octet < 4; octet++) {
    const first = at;
    let decimal = 0;
    for (; at < end; at++) {
      const digit = text.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) break;
      decimal = decimal * 10 + digit;
    }
    const digits = at - first;
    if (digits === 0 || digits > 3 || decimal > 255) return -1;
    if (digits > 1 && text.charCodeAt(first) === 48) return -1;
    value = value * 256 + decimal;
    if (octet < 3 && (at >= end || text.charCodeAt(at++) !== 46)) return -1;
  }
  return at === end ? value : -1;
}

/** `value` is a 32-bit number, most significant octet first. */
export function formatQuad(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/**
 * Reads a decimal 0 to `most` in `text[start, end)`: at most three digits, no sign, no leading zeros. It is the
 * length behind the slash of a prefix (RFC 4291 §2.3). -1 when it is not one.
 */
export function parseLength(text: string, start: number, end: number, most: number): number {
  const digits = end - start;
  if (digits < 1 || digits > 3) return -1;
  if (digits > 1 && text.charCodeAt(start) === 48) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= most ? value : -1;
}
