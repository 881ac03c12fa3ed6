import { type Instant, parseInstant } from "../base/instant.ts";
import { didYouMean } from "../base/nearest.ts";
import { type Address, parseAddress } from "../net/address.ts";
import { parseAddress4, parsePrefix4 } from "../net/ipv4.ts";
import { parsePortRange } from "../net/port.ts";
import { parsePrefix, prefixOf } from "../net/prefix.ts";
import { isTransport, type Transport, transports } from "../net/transport.ts";
import type { Seconds } from "../base/time.ts";
import { parseDuration } from "./duration.ts";
import { type Fault, isFault, quoted, type Read } from "./fault.ts";
import type { Source, Wanted } from "./request.ts";
import type { Token } from "./token.ts";

const byDefault: readonly Transport[] = ["tcp"];

/** `words`, a comma between each two. Reads until what comes next is no comma; `next` is the place after it. */
export function readList(
  tokens: readonly Token[],
  start: number,
  end: number,
): Read<{ words: readonly Token[]; next: number }> {
  const words: Token[] = [];
  for (let i = start; ; i += 2) {
    const word = tokens[i];
    if (word === undefined || word.text === ",") {
      return fault("E903", word?.column ?? end, `Nothing ${place(words)}`, "write one thing between two commas");
    }
    words.push(word);
    if (tokens[i + 1]?.text !== ",") return { value: { words, next: i + 1 } };
  }
}

function place(words: readonly Token[]): string {
  const last = words.at(-1);
  return last === undefined ? "before a comma, or nothing at all" : `after ${quoted(`${last.text},`)}`;
}

/** `ping`, `published`, or ports and ranges; each port once per transport. Transport is `tcp` where `proto` is undefined. */
export function readWanted(words: readonly Token[], proto: Token | undefined): Read<readonly Wanted[]> {
  const named = proto === undefined ? undefined : readTransports(proto);
  if (named !== undefined && isFault(named)) return named;
  const wanted: Wanted[] = [];
  for (const word of words) {
    const read = readOne(word, words.length, named?.value);
    if (isFault(read)) return read;
    wanted.push(...read.value);
  }
  return { value: wanted };
}

function readOne(word: Token, count: number, named: readonly Transport[] | undefined): Read<readonly Wanted[]> {
  const special = word.text === "ping" || word.text === "published";
  if (special && count > 1) {
    const fix = `write ${word.text} as a rule of its own`;
    return fault("E904", word.column, `${quoted(word.text)} in a list of ports`, fix);
  }
  if (word.text === "ping") {
    if (named === undefined) return { value: [{ kind: "ping" }] };
    return fault("E905", word.column, "A transport for ping, which has none", "write ping alone");
  }
  if (word.text === "published") return { value: [{ kind: "published", transports: named ?? transports }] };
  const ports = parsePortRange(word.text);
  if (ports !== undefined) {
    return { value: (named ?? byDefault).map((transport) => ({ kind: "ports", transport, ports })) };
  }
  return fault(
    "E904",
    word.column,
    `Not a port: ${quoted(word.text)}${didYouMean(word.text, ["ping", "published"])}`,
    "write 1 to 65535, a range such as 8000-8099, ping, or published",
  );
}

/** `tcp`, `udp`, `sctp` or `tcp+udp`. */
export function readTransports(word: Token): Read<readonly Transport[]> {
  if (isTransport(word.text)) return { value: [word.text] };
  if (word.text === "tcp+udp") return { value: ["tcp", "udp"] };
  return fault(
    "E905",
    word.column,
    `Not a transport: ${quoted(word.text)}${didYouMean(word.text, [...transports, "tcp+udp"])}`,
    "write tcp, udp, tcp+udp or sctp",
  );
}

export function readSources(words: readonly Token[]): Read<readonly Source[]> {
  const sources: Source[] = [];
  for (const word of words) {
    const read = readSource(word);
    if (isFault(read)) return read;
    if (read.value.kind === "any" && words.length > 1) {
      return fault("E906", word.column, '"any" beside other sources', "write any alone, or take it out");
    }
    sources.push(read.value);
  }
  return { value: sources };
}

/** What Docker lets a container be called (20.10 to 29: no limit of length; a host name has 63), and groups are. */
const name = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

function readSource({ text, column }: Token): Read<Source> {
  if (text === "any") return { value: { kind: "any" } };
  const rest = text.slice(1);
  if (text.startsWith("@") && name.test(rest)) return { value: { kind: "group", name: rest } };
  if (text.startsWith("%") && name.test(rest)) return { value: { kind: "container", name: rest } };
  const single = short(text) ? parseAddress(text) : undefined;
  const prefix = single === undefined ? parseShortPrefix(text) : prefixOf(single, 128);
  if (prefix !== undefined) return { value: { kind: "prefix", prefix } };
  return sourceFault(text, column);
}

function sourceFault(text: string, column: number): Fault {
  if (short(text) && (parsePrefix4(text) !== undefined || parseAddress4(text) !== undefined)) {
    return fault("E906", column, `Source is not IPv6: ${quoted(text)}`, "openings are for IPv6: name IPv6 sources");
  }
  const slash = text.lastIndexOf("/");
  const base: Address | undefined = short(text) && slash > 0 ? parseAddress(text.slice(0, slash)) : undefined;
  if (base !== undefined && /^(?:0|[1-9][0-9]{0,2})$/.test(text.slice(slash + 1))) {
    const length = Number(text.slice(slash + 1));
    if (length <= 128) {
      const fix = `write ${prefixOf(base, length)}, or the length that was meant`;
      return fault("E906", column, `Prefix with bits set beyond its length: ${quoted(text)}`, fix);
    }
  }
  const fix = "write an IPv6 prefix, @group, %container, or any";
  return fault("E906", column, `Not a source: ${quoted(text)}${didYouMean(text, ["any"])}`, fix);
}

/** Longer is neither an address nor a prefix (RFC 4291 §2.2: 45 characters, and /128). */
function short(text: string): boolean {
  return text.length <= 49;
}

function parseShortPrefix(text: string): ReturnType<typeof parsePrefix> {
  return short(text) ? parsePrefix(text) : undefined;
}

export function readDuration({ text, column }: Token): Read<Seconds> {
  const value = parseDuration(text);
  if (value !== undefined) return { value };
  const fix = "write a number and a unit, 1s to 3650d: 90s, 30m, 2h, 7d";
  return fault("E907", column, `Not a length of time: ${quoted(text)}`, fix);
}

export function readInstant({ text, column }: Token): Read<Instant> {
  const value = parseInstant(text);
  if (value !== undefined) return { value };
  return fault("E908", column, `Not a time: ${quoted(text)}`, "write it as 2026-12-31T18:00:00Z");
}

export function fault(code: Fault["code"], column: number, text: string, fix: string): Fault {
  return { code, column, text, fix };
}
