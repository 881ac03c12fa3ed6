import type { Match } from "../../../proof/filter-rules.ts";
import { oneValue, valuesOf, valuesWhere } from "../../../proof/values.ts";
import { listed } from "./words.ts";

/** What /etc/protocols of FreeBSD calls them. */
const numbers: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  ipencap: 4,
  ipv4: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  "ipv6-icmp": 58,
  icmp6: 58,
  ospf: 89,
  ipip: 94,
  pim: 103,
  carp: 112,
  vrrp: 112,
  sctp: 132,
  udplite: 136,
  pfsync: 240,
};

export const tcp = 6;

/** Behind `proto`. */
export function protocolMatch(word = ""): Match {
  const found = listed(word).map((each) => numbers[each] ?? (/^\d{1,3}$/.test(each) ? Number(each) : undefined));
  const known = found.flatMap((each) => each ?? []);
  if (known.length !== found.length) return { kind: "opaque", why: `proto ${word} is not understood` };
  return {
    kind: "field",
    field: "protocol",
    values: valuesOf(
      known.map((each) => ({ first: each, last: each })),
      256,
    ),
  };
}

const letters = "FSRPAUEW";

/** Behind `flags`: `S/SA`, `any`, `/SFRA`. It speaks of TCP alone, whatever else the rule is of. */
export function flagsMatch(word = ""): readonly Match[] {
  if (word === "any") return [];
  const [set, of] = word.split("/").map(bitsOf);
  if (set === undefined || of === undefined) return [{ kind: "opaque", why: `flags ${word} is not understood` }];
  const isOther: Match = { kind: "not", of: { kind: "field", field: "protocol", values: oneValue(tcp, 256) } };
  const has: Match = { kind: "field", field: "flags", values: valuesWhere(256, (flags) => (flags & of) === set) };
  return [{ kind: "some", of: [isOther, has] }];
}

function bitsOf(text: string): number | undefined {
  let bits = 0;
  for (const letter of text) {
    const at = letters.indexOf(letter);
    if (at < 0) return undefined;
    bits |= 1 << at;
  }
  return bits;
}
