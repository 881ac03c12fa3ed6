import type { Match } from "../../../proof/filter-rules.ts";
import { type Span, valuesOf } from "../../../proof/values.ts";
import { listed, type Words } from "./words.ts";

/** What pfctl(8) calls types of ICMPv6 (pfctl_parser.c, `icmp6_type`). */
const types: Readonly<Record<string, number>> = {
  unreach: 1,
  toobig: 2,
  timex: 3,
  paramprob: 4,
  echoreq: 128,
  echorep: 129,
  groupqry: 130,
  listqry: 130,
  grouprep: 131,
  listenrep: 131,
  groupterm: 132,
  listendone: 132,
  routersol: 133,
  routeradv: 134,
  neighbrsol: 135,
  neighbradv: 136,
  redir: 137,
  routrrenum: 138,
  wrureq: 139,
  niqry: 139,
  fqdnreq: 139,
  wrurep: 140,
  nirep: 140,
  fqdnrep: 140,
  mtraceresp: 200,
  mtrace: 201,
};

/** By type what its codes are called (`icmp6_code`). */
const codes: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  1: { "noroute-unr": 0, "admin-unr": 1, "notnbr-unr": 2, "beyond-unr": 2, "addr-unr": 3, "port-unr": 4 },
  3: { transit: 0, reassemb: 1 },
  4: { badhead: 0, nxthdr: 1, "bad-opt": 2 },
  137: { redironlink: 0, redirrouter: 1 },
};

/** Behind `icmp6-type`: `echoreq`, `128`, `{1,2}`, each with `code` or without. */
export function messagesOf(words: Words): Match {
  const word = words.next() ?? "";
  const numbers = listed(word).map(typeOf);
  const codeWord = words.take("code") === undefined ? undefined : (words.next() ?? "");
  if (numbers.includes(undefined)) return { kind: "opaque", why: `icmp6-type ${word} is not understood` };
  const spans: Span[] = [];
  for (const type of numbers as readonly number[]) {
    const code = codeWord === undefined ? undefined : codeOf(type, codeWord);
    if (codeWord !== undefined && code === undefined)
      return { kind: "opaque", why: `code ${codeWord} of icmp6-type ${word} is not understood` };
    const [first, last] = code === undefined ? [0, 255] : [code, code];
    spans.push({ first: (type << 8) | first, last: (type << 8) | last });
  }
  return { kind: "field", field: "fromPort", values: valuesOf(spans, 65_536) };
}

function typeOf(word: string): number | undefined {
  return byteOf(word) ?? types[word];
}

function codeOf(type: number, word: string): number | undefined {
  return byteOf(word) ?? codes[type]?.[word];
}

function byteOf(word: string): number | undefined {
  return /^\d{1,3}$/.test(word) && Number(word) < 256 ? Number(word) : undefined;
}
