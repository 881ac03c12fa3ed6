import ipaddr from "ipaddr.js";
import { type Address, parseAddress } from "../src/net/address.ts";
import { AddressColumns, diff } from "../src/net/address-columns.ts";
import { clearHostBits, formatWords, parseWords, sharePrefix } from "../src/net/packed.ts";
import { contains, type Prefix, prefixAt } from "../src/net/prefix.ts";
import { PrefixSet } from "../src/net/prefix-set.ts";
import { PrefixTable } from "../src/net/prefix-table.ts";
import { interleave, printTable, type Row } from "./measure.ts";

const many = 200_000;
const million = 1_000_000;
const slow = 20_000;
/** The lengths in the table: sites, links, container networks, containers. */
const lengths = [48, 64, 76, 128];
/** Keeps the results alive, so that nothing measured is optimized away. */
let kept = 0;

export async function run(options: { readonly json: boolean }): Promise<void> {
  const rows = [...textRows(), ...containsRows(), ...matchRows(), ...setRows(), ...columnRows()];
  if (options.json) console.log(JSON.stringify({ suite: "net", rows, kept: kept !== 0 }));
  else printTable("net: 200,000 random addresses, beside ipaddr.js 2.5 in the same run", rows);
}

function textRows(): readonly Row[] {
  const words = randomWords(many, 1);
  const texts = textsOf(words);
  const parsed = texts.slice(0, slow).map((text) => ipaddr.IPv6.parse(text));
  const out = new Uint32Array(4);
  const figures = interleave({
    parse: () => over(many, (n) => (parseWords(texts[n] as string, out, 0) ? (out[3] as number) : 0)),
    parseTheirs: () => over(slow, (n) => ipaddr.IPv6.parse(texts[n] as string).parts.length),
    parseAddress: () => over(many, (n) => parseAddress(texts[n] as string)?.length ?? 0),
    format: () => over(many, (n) => formatWords(words, 4 * n).charCodeAt(3)),
    formatTheirs: () => over(slow, (n) => (parsed[n] as ipaddr.IPv6).toRFC5952String().charCodeAt(3)),
  });
  return [
    beside("parse to words", figures["parse"], figures["parseTheirs"]),
    row("parse to canonical text", figures["parseAddress"]),
    beside("format", figures["format"], figures["formatTheirs"]),
  ];
}

function containsRows(): readonly Row[] {
  const words = randomWords(many, 2);
  const texts = textsOf(words) as readonly Address[];
  const parsed = texts.map((text) => ipaddr.IPv6.parse(text));
  const base = words.slice(0, 4);
  clearHostBits(base, 0, 76);
  const outer = prefixAt(base, 0, 76);
  const theirs = ipaddr.IPv6.parseCIDR(outer);
  const figures = interleave({
    words: () => over(many, (n) => (sharePrefix(words, 4 * n, base, 0, 76) ? 1 : 0)),
    texts: () => over(many, (n) => (contains(outer, texts[n] as Address) ? 1 : 0)),
    theirs: () => over(many, (n) => ((parsed[n] as ipaddr.IPv6).match(theirs) ? 1 : 0)),
  });
  return [
    beside("contains (/76), parsed", figures["words"], figures["theirs"]),
    row("contains (/76), from texts", figures["texts"]),
  ];
}

/** Half of the addresses asked for are below a prefix of the table, half are anywhere. */
function matchRows(): readonly Row[] {
  const bases = randomWords(million, 3);
  const table = new PrefixTable<number>();
  for (const [n, each] of prefixesOf(bases).entries()) table.set(each, n + 1);
  const wanted = randomWords(many, 4);
  for (let n = 0; n < many; n += 2) {
    for (let w = 0; w < 4; w++) wanted[4 * n + w] = bases[20 * n + w] as number;
  }
  const texts = textsOf(wanted) as readonly Address[];
  const figures = interleave({
    words: () => over(many, (n) => table.getWords(wanted, 4 * n) ?? 0),
    texts: () => over(many, (n) => table.get(texts[n] as Address) ?? 0),
  });
  return [
    row("longest match in 1 M prefixes of 4 lengths", figures["words"]),
    row("longest match, from text", figures["texts"]),
  ];
}

function setRows(): readonly Row[] {
  const prefixes = prefixesOf(randomWords(million, 5));
  const all = PrefixSet.of(prefixes);
  const half = PrefixSet.of(prefixes.slice(0, million / 2));
  const texts = prefixes.slice(0, many);
  const figures = interleave(
    {
      build: () => keep(PrefixSet.of(prefixes).isEmpty(), million),
      subtract: () => keep(all.subtract(half).isEmpty(), million),
      contains: () => over(many, (n) => (all.contains(texts[n] as Prefix) ? 1 : 0)),
      prefixes: () => keep(all.prefixes().length === 0, million),
    },
    { rounds: 3 },
  );
  return [
    row("set of 1 M prefixes: build", figures["build"]),
    row("set of 1 M prefixes: subtract a half", figures["subtract"]),
    row("set of 1 M prefixes: contains", figures["contains"]),
    row("set of 1 M prefixes: list as texts", figures["prefixes"]),
  ];
}

function columnRows(): readonly Row[] {
  const texts = textsOf(randomWords(million, 6));
  const before = AddressColumns.of(texts.slice(1000));
  const after = AddressColumns.of(texts.slice(0, -1000));
  const figures = interleave(
    {
      build: () => keep(AddressColumns.of(texts).size === 0, million),
      diff: () => keep(diff(before, after).added.size === 0, million),
      has: () => over(many, (n) => (before.has(texts[n] as Address) ? 1 : 0)),
    },
    { rounds: 3 },
  );
  return [
    row("columns of 1 M addresses: parse and sort", figures["build"]),
    row("columns of 1 M addresses: diff of 1,000", figures["diff"]),
    row("columns of 1 M addresses: has", figures["has"]),
  ];
}

type Figure = { readonly opsPerSecond: number } | undefined;

function row(name: string, figure: Figure): Row {
  return { name, figure: (figure?.opsPerSecond ?? Number.NaN) / 1e6, unit: "M/s" };
}

function beside(name: string, ours: Figure, theirs: Figure): Row {
  const ratio = (ours?.opsPerSecond ?? Number.NaN) / (theirs?.opsPerSecond ?? Number.NaN);
  return { ...row(name, ours), ratio, beside: "ipaddr.js" };
}

function over(count: number, each: (n: number) => number): number {
  let sum = 0;
  for (let n = 0; n < count; n++) sum += each(n);
  kept += sum;
  return count;
}

function keep(answer: boolean, operations: number): number {
  kept += answer ? 1 : 2;
  return operations;
}

/** The same numbers in every run (xorshift32). */
function randomWords(count: number, seed: number): Uint32Array {
  let state = Math.imul(seed, 0x9e3779b1);
  return Uint32Array.from({ length: 4 * count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  });
}

/** Flat strings, as the JSON of a device gives them, and not the ropes that concatenation leaves. */
function textsOf(words: Uint32Array): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at < words.length; at += 4) lines.push(formatWords(words, at));
  return flat(lines);
}

function prefixesOf(words: Uint32Array): readonly Prefix[] {
  const base = new Uint32Array(4);
  const lines: string[] = [];
  for (let n = 0; n < words.length / 4; n++) {
    const length = lengths[n % lengths.length] ?? 128;
    base.set(words.subarray(4 * n, 4 * n + 4));
    clearHostBits(base, 0, length);
    lines.push(prefixAt(base, 0, length));
  }
  return flat(lines) as readonly Prefix[];
}

function flat(lines: readonly string[]): readonly string[] {
  return JSON.parse(JSON.stringify(lines)) as readonly string[];
}
