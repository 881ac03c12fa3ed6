import type { Match } from "../../../proof/filter-rules.ts";
import type { Around } from "./around.ts";
import { messagesOf } from "./messages.ts";
import { placeOf, portsOf } from "./places.ts";
import { flagsMatch, protocolMatch } from "./protocols.ts";
import { listed, unquoted, type Words } from "./words.ts";

/** What a rule says of the packets that it is of, and what of that is done with them. */
export type Criteria = {
  /** Undefined: both ways. */
  readonly direction?: "in" | "out";
  readonly quick: boolean;
  /** Of the interface that the packet comes in by, or leaves by: the rule's direction says which. */
  readonly devices: readonly { readonly names: readonly string[]; readonly negated: boolean }[];
  /** True when no packet of IPv6 can have it. */
  readonly isNever: boolean;
  readonly matches: readonly Match[];
  readonly labels: readonly string[];
  readonly tracker?: number;
  /** Where it is sent instead of by the routing table: the interface. */
  readonly routeTo?: string;
  /** What else happens to a packet, that changes it or hands it to somebody else. */
  readonly changes?: string;
};

type Draft = { -readonly [K in keyof Criteria]: Criteria[K] } & {
  matches: Match[];
  labels: string[];
  devices: Criteria["devices"][number][];
};
type Context = { readonly draft: Draft; readonly words: Words; readonly anchor: string; readonly around: Around };

/** Words that say nothing about who gets through, with how many words follow. Those of state may have brackets behind them. */
const silent: Readonly<Record<string, number>> = {
  all: 0,
  "allow-opts": 0,
  "no-df": 0,
  "random-id": 0,
  once: 0,
  "sticky-address": 0,
  "round-robin": 0,
  random: 0,
  bitmask: 0,
  "source-hash": 0,
  "static-port": 0,
  queue: 1,
  dnpipe: 1,
  dnqueue: 1,
  set: 1,
  "max-mss": 1,
  "min-ttl": 1,
  scrub: 1,
  "reply-to": 1,
  "dup-to": 1,
  "divert-reply": 0,
};

/** What makes another packet of it, or gives it to somebody else, with how many words follow at least. */
const changing: readonly string[] = ["nat-to", "rdr-to", "binat-to", "af-to", "divert-to", "divert-packet", "rtable"];

type Reader = (context: Context) => void;

const readers: Readonly<Record<string, Reader>> = {
  in: ({ draft }) => {
    draft.direction = "in";
  },
  out: ({ draft }) => {
    draft.direction = "out";
  },
  quick: ({ draft }) => {
    draft.quick = true;
  },
  log: ({ words }) => {
    words.take(/^\(/);
  },
  on: (context) => context.draft.devices.push(devicesOf(context)),
  inet: ({ draft }) => {
    draft.isNever = true;
  },
  inet6: () => {},
  proto: ({ draft, words }) => draft.matches.push(protocolMatch(words.next())),
  from: (context) => place(context, "from"),
  to: (context) => place(context, "to"),
  flags: ({ draft, words }) => draft.matches.push(...flagsMatch(words.next())),
  "icmp6-type": ({ draft, words }) => draft.matches.push(messagesOf(words)),
  "icmp-type": ({ draft }) => {
    draft.isNever = true;
  },
  keep: state,
  modulate: state,
  synproxy: state,
  no: state,
  label: ({ draft, words }) => {
    draft.labels.push(unquoted(words.next()));
  },
  ridentifier: ({ draft, words }) => {
    draft.tracker = Number(words.next());
  },
  tag: ({ words }) => {
    words.next();
  },
  tagged: (context) => tagged(context, false),
  fragment: ({ draft }) => draft.matches.push({ kind: "field", field: "fragment", values: [1] }),
  probability: ({ draft, words }) => {
    const share = words.next() ?? "";
    draft.matches.push({ kind: "chance", usually: Number.parseFloat(share) >= 50, why: `probability ${share}` });
  },
  "route-to": ({ draft, words }) => {
    draft.routeTo = listed(words.next())[0]?.replace(/@.*/, "") ?? "";
  },
  "received-on": ({ draft, words }) => {
    draft.matches.push({ kind: "interface", side: "in", names: [words.next() ?? ""], negated: false });
  },
};

/**
 * Reads the words behind `pass`, `block`, `match` or `anchor` (pf.conf(5), as pfctl(8) prints them). What is not known
 * is an opaque match: the rule is then one that may be of any packet that has the rest.
 */
export function criteriaOf(words: Words, anchor: string, around: Around): Criteria {
  const draft: Draft = { quick: false, devices: [], isNever: false, matches: [], labels: [] };
  const context: Context = { draft, words, anchor, around };
  for (let word = words.next(); word !== undefined; word = words.next()) {
    const reader = Object.hasOwn(readers, word) ? readers[word] : undefined;
    if (reader !== undefined) reader(context);
    else if (Object.hasOwn(silent, word)) for (let left = silent[word] ?? 0; left > 0; left--) words.next();
    else if (changing.includes(word)) {
      draft.changes = `${word} ${words.next() ?? ""}`.trim();
      words.take("->");
    } else if (word === "!" && words.take("tagged") !== undefined) tagged(context, true);
    else if (word === "!" && words.take("received-on") !== undefined)
      draft.matches.push({ kind: "interface", side: "in", names: [words.next() ?? ""], negated: true });
    else draft.matches.push({ kind: "opaque", why: `"${word}" is not understood` });
  }
  return draft;
}

function devicesOf({ words, around }: Context): { names: readonly string[]; negated: boolean } {
  const negated = words.take("!") !== undefined;
  const names = listed(words.next()).flatMap((each) => (each === "any" ? ["*"] : (around.groups.get(each) ?? [each])));
  return { names, negated };
}

function place({ draft, words, anchor, around }: Context, side: "from" | "to"): void {
  if (draft.direction !== "in" && words.take("urpf-failed") !== undefined)
    draft.matches.push({ kind: "opaque", why: "urpf-failed of what leaves is not followed" });
  else if (words.peek !== "port") {
    const found = placeOf(words, side, anchor, around);
    if (found === "never") draft.isNever = true;
    else draft.matches.push(...found);
  }
  const ports = portsOf(words, side);
  if (ports !== undefined) draft.matches.push(ports);
}

/** `keep state (if-bound, max 100)`: limits on how many close more than is said here, never less. */
function state({ words }: Context): void {
  words.take("state");
  words.take(/^\(/);
}

function tagged({ draft, words, around }: Context, negated: boolean): void {
  const tag = unquoted(words.next());
  if (around.tags.has(tag))
    draft.matches.push({ kind: "opaque", why: `whether packets are tagged "${tag}" is not followed` });
  else if (!negated) draft.isNever = true;
}
