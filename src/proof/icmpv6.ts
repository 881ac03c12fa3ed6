/**
 * What a gateway does with one kind of ICMPv6 message.
 * `drop`; `accept`; `limited`: accepted up to a rate; `related`: an error, only to a live flow; `established`: an
 * answer, only to a live flow; `live`: to addresses that were opened for it, up to a rate; `on-link`: hop limit 255,
 * so not from beyond the link (RFC 4861 §6.1, §7.1); `inside`: as on-link, and only from the hosts' link;
 * `listener`: from a link-local source with hop limit 1 (RFC 3810 §5).
 */
export type Icmpv6Verdict =
  | "drop"
  | "accept"
  | "limited"
  | "related"
  | "established"
  | "live"
  | "on-link"
  | "inside"
  | "listener";

/** RFC 4890's own words: M must not drop, S should not drop, A dropped anyway, P define a policy, D should drop. */
export type Icmpv6Advice = "M" | "S" | "A" | "P" | "D" | "none";

/** Numbers from `first` to `last`, both ends included, 0-255. */
export type NumberRange = { readonly first: number; readonly last: number };

/** One kind of message: RFC 4890 §4.3 for what crosses the gateway (transit), §4.4 for what is sent to it (local). */
export type Icmpv6Row = {
  readonly row: number;
  readonly types: readonly NumberRange[];
  /** Absent where every code is meant. */
  readonly codes?: NumberRange;
  readonly message: string;
  readonly advice: { readonly transit: Icmpv6Advice; readonly local: Icmpv6Advice };
  readonly transit: Icmpv6Verdict;
  readonly local: Icmpv6Verdict;
  readonly reason: string;
};

/**
 * All 256 types, each once per code. The gateway is a router, so what RFC 4890 leaves to be "dropped anyway" is
 * dropped by rule too. Re-check with IANA's registry once a year (RFC 4890 §4.3.4).
 */
export const icmpv6Rows: readonly Icmpv6Row[] = [
  row(
    1,
    [1],
    "Destination Unreachable",
    "M M",
    "related",
    "limited",
    "an error without a flow of ours is noise or a probe",
  ),
  row(2, [2], "Packet Too Big", "M M", "related", "limited", "path MTU (RFC 8201); any router on the path may send it"),
  row(3, [3], "Time Exceeded, hop limit", "M M", "related", "limited", "as row 1", [0, 0]),
  row(4, [3], "Time Exceeded, reassembly and unallocated codes", "S S", "related", "limited", "as row 1", [1, 255]),
  row(5, [4], "Parameter Problem, header field", "S S", "related", "limited", "as row 1", [0, 0]),
  row(6, [4], "Parameter Problem, next header or option", "M M", "related", "limited", "as row 1", [1, 2]),
  row(
    7,
    [4],
    "Parameter Problem, first fragment incomplete and later codes",
    "- -",
    "related",
    "limited",
    "RFC 7112, later than RFC 4890; as row 1",
    [3, 255],
  ),
  row(
    8,
    [
      [5, 99],
      [102, 126],
    ],
    "unallocated errors",
    "P P",
    "drop",
    "drop",
    "no use is known; a flow must not carry them in",
  ),
  row(9, [[100, 101]], "experimental errors", "D D", "drop", "drop", "no experiment runs here"),
  row(10, [127], "reserved for more errors", "D D", "drop", "drop", "not in use"),
  row(
    11,
    [128],
    "Echo Request",
    "M M",
    "live",
    "limited",
    "deviation: echo to a whole prefix fills neighbour tables (RFC 6583), so only to addresses that asked for it",
  ),
  row(12, [129], "Echo Reply", "M M", "established", "established", "an answer needs a question"),
  row(
    13,
    [[130, 132]],
    "Multicast Listener Query, Report, Done",
    "A M",
    "drop",
    "listener",
    "the link's own multicast",
  ),
  row(14, [143], "Multicast Listener Report v2", "A M", "drop", "listener", "as row 13"),
  row(15, [133], "Router Solicitation", "A M", "drop", "inside", "hosts may ask; the uplink has nothing to ask us"),
  row(
    16,
    [134],
    "Router Advertisement",
    "A M",
    "drop",
    "drop",
    "the gateway's routes are configured, nobody else advertises",
  ),
  row(
    17,
    [[135, 136]],
    "Neighbour Solicitation, Advertisement",
    "A M",
    "drop",
    "on-link",
    "without them no neighbour is found",
  ),
  row(18, [137], "Redirect", "A P", "drop", "drop", "a router does not follow redirects (RFC 4861 §8.2)"),
  row(19, [138], "Router Renumbering", "D A", "drop", "drop", "not in use"),
  row(20, [[139, 140]], "Node Information", "D P", "drop", "drop", "tells names and addresses to anyone (RFC 4620)"),
  row(
    21,
    [[141, 142]],
    "Inverse Neighbour Discovery",
    "A M",
    "drop",
    "drop",
    "only links without broadcast need it (RFC 3122)",
  ),
  row(22, [[144, 147]], "Mobile IPv6", "S A", "drop", "drop", "deviation: there is no home agent"),
  row(23, [[148, 149]], "Certification Path (SEND)", "A M", "drop", "drop", "deviation: no link here runs SEND"),
  row(24, [150], "Seamoby", "P A", "drop", "drop", "not in use"),
  row(25, [[151, 153]], "Multicast Router Discovery", "A M", "drop", "listener", "as row 13 (RFC 4286)"),
  row(
    26,
    [
      [154, 199],
      [202, 254],
    ],
    "unallocated information",
    "P D",
    "drop",
    "drop",
    "no use is known here",
  ),
  row(27, [[200, 201]], "experimental information", "D D", "drop", "drop", "no experiment runs here"),
  row(28, [255, 0], "reserved", "D D", "drop", "drop", "not in use"),
];

/** The row of a message. Throws a RangeError unless both are 0-255. */
export function icmpv6RowOf(type: number, code: number): Icmpv6Row {
  const found = icmpv6Rows.find((each) => each.types.some((range) => within(range, type)) && matchesCode(each, code));
  if (found === undefined) throw new RangeError(`Not an ICMPv6 type and code: ${type}/${code}`);
  return found;
}

/** Every type whose `side` is `verdict`, ascending. Types whose codes differ in verdict do not exist in the table. */
export function icmpv6TypesOf(side: "transit" | "local", verdict: Icmpv6Verdict): readonly number[] {
  const found = new Set<number>();
  for (const each of icmpv6Rows) {
    if (each[side] !== verdict) continue;
    for (const { first, last } of each.types) for (let type = first; type <= last; type++) found.add(type);
  }
  return [...found].sort((a, b) => a - b);
}

function row(
  number: number,
  types: readonly (number | readonly [number, number])[],
  message: string,
  advice: string,
  transit: Icmpv6Verdict,
  local: Icmpv6Verdict,
  reason: string,
  codes?: readonly [number, number],
): Icmpv6Row {
  const [over = "", to = ""] = advice.split(" ");
  return {
    row: number,
    types: types.map((each) =>
      typeof each === "number" ? { first: each, last: each } : { first: each[0], last: each[1] },
    ),
    ...(codes === undefined ? {} : { codes: { first: codes[0], last: codes[1] } }),
    message,
    advice: { transit: adviceOf(over), local: adviceOf(to) },
    transit,
    local,
    reason,
  };
}

function adviceOf(letter: string): Icmpv6Advice {
  switch (letter) {
    case "M":
    case "S":
    case "A":
    case "P":
    case "D":
      return letter;
    default:
      return "none";
  }
}

function within({ first, last }: NumberRange, n: number): boolean {
  return Number.isInteger(n) && n >= first && n <= last;
}

function matchesCode(each: Icmpv6Row, code: number): boolean {
  return within(each.codes ?? { first: 0, last: 255 }, code);
}
