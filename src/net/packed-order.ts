import { compareWords } from "./packed.ts";

/** Below this many, comparing is quicker than eight passes over 65,536 counters. */
const fewest = 4096;

/**
 * The numbers 0 to `count - 1` in the numeric order of the addresses at `words[4 * n]`; equal ones stay in turn.
 * Many are sorted by radix, 16 bits a pass, leaving out the passes in which all agree: a fleet shares its prefix.
 */
export function orderOf(words: Uint32Array, count: number): Uint32Array {
  let order = Uint32Array.from({ length: count }, (_, n) => n);
  if (isSorted(words, count)) return order;
  if (count < fewest) return order.sort((a, b) => compareWords(words, 4 * a, words, 4 * b) || a - b);
  let spare = new Uint32Array(count);
  const counters = new Uint32Array(65_536);
  for (let digit = 7; digit >= 0; digit--) {
    const word = digit >>> 1;
    const shift = (digit & 1) === 0 ? 16 : 0;
    if (!countDigit(words, count, word, shift, counters)) continue;
    for (let i = 0; i < count; i++) {
      const n = order[i] as number;
      const key = ((words[4 * n + word] as number) >>> shift) & 0xffff;
      const place = counters[key] as number;
      counters[key] = place + 1;
      spare[place] = n;
    }
    [order, spare] = [spare, order];
  }
  return order;
}

function isSorted(words: Uint32Array, count: number): boolean {
  for (let n = 1; n < count; n++) if (compareWords(words, 4 * n - 4, words, 4 * n) > 0) return false;
  return true;
}

/** Fills `counters` with the place of the first of each key. False where all keys are the same. */
function countDigit(words: Uint32Array, count: number, word: number, shift: number, counters: Uint32Array): boolean {
  counters.fill(0);
  for (let n = 0; n < count; n++) {
    const key = ((words[4 * n + word] as number) >>> shift) & 0xffff;
    counters[key] = (counters[key] as number) + 1;
  }
  if (counters[((words[word] as number) >>> shift) & 0xffff] === count) return false;
  let place = 0;
  for (let key = 0; key < counters.length; key++) {
    const here = counters[key] as number;
    counters[key] = place;
    place += here;
  }
  return true;
}
