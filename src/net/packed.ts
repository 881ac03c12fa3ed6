import { formatQuad, parseQuad } from "./quad.ts";

// IPv6 addresses as four 32-bit words in network order: `words[at]` holds bits 0-31, `words[at + 3]` bits 96-127.
// Everything else in `net/` sits on this file. No function here allocates, except for the text that it returns.

/** What `readWords` found: no address, an address in some other form, the canonical text of one. */
export type Reading = 0 | 1 | 2;
const noAddress = 0;
const address = 1;
export const canonical = 2;

const colon = 58;
const dot = 46;
/** The longest text: six groups of four digits and a dotted tail. */
const longestText = 45;
/** The value of a hex digit by character code up to `f`; 255 where the character is none. */
const digitOf: Uint8Array = hexDigits();
/** The eight groups of the text being read. Filled and emptied within one call of `parseWords`. */
const groups: Uint16Array = new Uint16Array(8);
/** By mask of zero groups (bit 7 is the first group): start × 16 + length of the run that `::` stands for, or 0. */
const runOf: Uint8Array = zeroRuns();
/** Groups as lower-case hex without leading zeros, made when first asked for. */
const groupText: (string | undefined)[] = [];
groupText.length = 65_536;

/**
 * Reads every text form of RFC 4291 §2.2 in `text[start, end)`: full, compressed by `::` (one group or more), with
 * a dotted tail; upper and lower case. Writes `out[at, at + 4)` and gives true; at false nothing was written.
 * Refused: a zone (RFC 4007), a prefix length, brackets, white space, more than four digits in a group.
 */
export function parseWords(text: string, out: Uint32Array, at: number, start = 0, end: number = text.length): boolean {
  return readWords(text, out, at, start, end) !== noAddress;
}

/** As `parseWords`, and tells apart the text that is canonical, that is, the one that `formatWords` gives. */
export function readWords(text: string, out: Uint32Array, at: number, start: number, end: number): Reading {
  if (end - start < 2 || end - start > longestText) return noAddress;
  let [count, gap, i] = [0, -1, start];
  /** Has bit 5 while there is no upper case: of digits and letters only A-F are without it. */
  let cases = 32;
  if (text.charCodeAt(i) === colon) {
    if (text.charCodeAt(i + 1) !== colon) return noAddress;
    gap = 0;
    i += 2;
  }
  while (i < end) {
    if (count === 8) return noAddress;
    const first = i;
    let value = 0;
    for (; i < end; i++) {
      const code = text.charCodeAt(i);
      const digit = code > 102 ? 255 : (digitOf[code] as number);
      if (digit === 255) break;
      value = (value << 4) | digit;
      cases &= code;
    }
    if (i === first || i - first > 4) return noAddress;
    if (i < end && text.charCodeAt(i) === dot) return spread(putQuad(text, first, end, count), gap, out, at, 0);
    if (i - first > 1 && value >>> (4 * (i - first - 1)) === 0) cases = 0;
    groups[count++] = value;
    if (i === end) break;
    if (text.charCodeAt(i++) !== colon || i === end) return noAddress;
    if (text.charCodeAt(i) === colon) {
      if (gap >= 0) return noAddress;
      gap = count;
      i++;
    }
  }
  return spread(count, gap, out, at, cases);
}

/** Puts the dotted tail at `text[start, end)` behind `count` groups. Gives the new count, 9 when it is no tail. */
function putQuad(text: string, start: number, end: number, count: number): number {
  const quad = count > 6 ? -1 : parseQuad(text, start, end);
  if (quad < 0) return 9;
  groups[count] = quad >>> 16;
  groups[count + 1] = quad & 0xffff;
  return count + 2;
}

/** Spreads `count` groups around the `::` before group `gap` (-1: none) and writes the words. `cases` 0: not canonical. */
function spread(count: number, gap: number, out: Uint32Array, at: number, cases: number): Reading {
  if (gap < 0 ? count !== 8 : count > 7) return noAddress;
  if (gap >= 0) {
    groups.copyWithin(8 - (count - gap), gap, count);
    groups.fill(0, gap, 8 - (count - gap));
  }
  for (let w = 0; w < 4; w++) out[at + w] = ((groups[2 * w] as number) << 16) | (groups[2 * w + 1] as number);
  const run = gap < 0 ? 0 : gap * 16 + 8 - count;
  return cases === 0 || isMapped(out, at) || runAt(out, at) !== run ? address : canonical;
}

/** ::ffff:0:0/96, RFC 4291 §2.5.5.2. */
function isMapped(words: Uint32Array, at: number): boolean {
  return words[at + 2] === 0xffff && words[at] === 0 && words[at + 1] === 0;
}

/** What `::` stands for in the canonical text: start × 16 + length, or 0. */
function runAt(words: Uint32Array, at: number): number {
  const high = zeroGroups(words[at] as number, words[at + 1] as number);
  return runOf[high * 16 + zeroGroups(words[at + 2] as number, words[at + 3] as number)] as number;
}

/**
 * The canonical text of RFC 5952 §4: lower case, no leading zeros, `::` for the first longest run of two zero
 * groups or more. IPv4-mapped addresses (::ffff:0:0/96) get a dotted tail, as §5 recommends; no others do.
 */
export function formatWords(words: Uint32Array, at: number): string {
  const a = words[at] as number;
  const b = words[at + 1] as number;
  const c = words[at + 2] as number;
  const d = words[at + 3] as number;
  const run = runAt(words, at);
  if (run === 0) {
    return `${hex(a >>> 16)}:${hex(a & 0xffff)}:${hex(b >>> 16)}:${hex(b & 0xffff)}:${hex(c >>> 16)}:${hex(c & 0xffff)}:${hex(d >>> 16)}:${hex(d & 0xffff)}`;
  }
  if (isMapped(words, at)) return `::ffff:${formatQuad(d)}`;
  const start = run >>> 4;
  let text = "";
  for (let g = 0; g < start; g++) text += g === 0 ? hex(groupAt(words, at, g)) : `:${hex(groupAt(words, at, g))}`;
  const rest = start + (run & 15);
  if (rest === 8) return `${text}::`;
  text += ":";
  for (let g = rest; g < 8; g++) text += `:${hex(groupAt(words, at, g))}`;
  return text;
}

/** Four bits: which of the groups of two words are zero, the first group in bit 3. */
function zeroGroups(a: number, b: number): number {
  return (
    (a >>> 16 === 0 ? 8 : 0) | ((a & 0xffff) === 0 ? 4 : 0) | (b >>> 16 === 0 ? 2 : 0) | ((b & 0xffff) === 0 ? 1 : 0)
  );
}

function groupAt(words: Uint32Array, at: number, group: number): number {
  const word = words[at + (group >>> 1)] as number;
  return (group & 1) === 0 ? word >>> 16 : word & 0xffff;
}

function hex(group: number): string {
  return (groupText[group] ??= group.toString(16));
}

/** Numeric order: negative, zero or positive. */
export function compareWords(a: Uint32Array, atA: number, b: Uint32Array, atB: number): number {
  for (let w = 0; w < 4; w++) {
    const x = a[atA + w] as number;
    const y = b[atB + w] as number;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

/** Whether the first `length` bits (0-128) are the same. */
export function sharePrefix(a: Uint32Array, atA: number, b: Uint32Array, atB: number, length: number): boolean {
  let left = length;
  for (let w = 0; left > 0; w++, left -= 32) {
    const different = (a[atA + w] as number) ^ (b[atB + w] as number);
    if ((left >= 32 ? different : different >>> (32 - left)) !== 0) return false;
  }
  return true;
}

/** The 32 mask bits of word `word` (0-3) under a prefix of `length` (0-128), as an unsigned number. */
export function maskWord(length: number, word: number): number {
  const bits = length - 32 * word;
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
}

/** Sets every bit beyond `length` to zero. */
export function clearHostBits(words: Uint32Array, at: number, length: number): void {
  for (let w = 0; w < 4; w++) words[at + w] = (words[at + w] as number) & maskWord(length, w);
}

/** Sets every bit beyond `length` to one. */
export function setHostBits(words: Uint32Array, at: number, length: number): void {
  for (let w = 0; w < 4; w++) words[at + w] = (words[at + w] as number) | ~maskWord(length, w);
}

export function hasHostBits(words: Uint32Array, at: number, length: number): boolean {
  for (let w = 0; w < 4; w++) if (((words[at + w] as number) & ~maskWord(length, w)) !== 0) return true;
  return false;
}

/** Adds one. False, and all words zero, when it wrapped around. */
export function increment(words: Uint32Array, at: number): boolean {
  for (let w = 3; w >= 0; w--) {
    const sum = ((words[at + w] as number) + 1) >>> 0;
    words[at + w] = sum;
    if (sum !== 0) return true;
  }
  return false;
}

export function copyWords(from: Uint32Array, atFrom: number, to: Uint32Array, atTo: number): void {
  for (let w = 0; w < 4; w++) to[atTo + w] = from[atFrom + w] as number;
}

export function bitsOf(words: Uint32Array, at: number): bigint {
  const high = (BigInt(words[at] as number) << 32n) | BigInt(words[at + 1] as number);
  return (high << 64n) | (BigInt(words[at + 2] as number) << 32n) | BigInt(words[at + 3] as number);
}

/** `bits` is 0 to 2^128 - 1; not checked, higher bits are lost. */
export function putBits(bits: bigint, out: Uint32Array, at: number): void {
  for (let w = 0; w < 4; w++) out[at + w] = Number(BigInt.asUintN(32, bits >> BigInt(96 - 32 * w)));
}

function hexDigits(): Uint8Array {
  const table = new Uint8Array(103).fill(255);
  for (let digit = 0; digit < 16; digit++) {
    table[digit.toString(16).charCodeAt(0)] = digit;
    table[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
  }
  return table;
}

function zeroRuns(): Uint8Array {
  const table = new Uint8Array(256);
  for (let mask = 0; mask < 256; mask++) {
    let longest = 1;
    for (let start = 0; start < 8; start++) {
      let length = 0;
      while (start + length < 8 && (mask & (128 >> (start + length))) !== 0) length++;
      if (length <= longest) continue;
      longest = length;
      table[mask] = start * 16 + length;
    }
  }
  return table;
}
