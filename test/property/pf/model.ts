// A small model of pf's rules, written from pf.conf(5) alone: what the generator makes, the printer prints and the naive
// evaluator asks. It knows nothing of how the product reads rules.

export type Place =
  | { readonly kind: "any" }
  | { readonly kind: "addresses"; readonly text: string; readonly not: boolean; readonly spans: readonly Span[] }
  | { readonly kind: "table"; readonly name: string; readonly not: boolean }
  /** `no-route`: nothing leads back; `urpf-failed`: not by the interface at which it is asked. */
  | { readonly kind: "no-route" | "urpf-failed" }
  /** Addresses of an interface, of a group's interfaces, or of all of them (`self`). */
  | { readonly kind: "own"; readonly text: string; readonly devices: readonly string[]; readonly not: boolean };

export type Span = { readonly first: bigint; readonly last: bigint };

export type Ports = { readonly text: string; readonly fits: (port: number) => boolean };

/** Criteria of a rule or of an anchor. What is absent fits every packet. */
export type Criteria = {
  readonly direction?: "in" | "out";
  readonly quick: boolean;
  readonly on?: { readonly text: string; readonly devices: readonly string[]; readonly not: boolean };
  readonly family?: "inet" | "inet6";
  readonly protocol?: { readonly text: string; readonly number: number };
  readonly from: Place;
  readonly fromPorts?: Ports;
  readonly to: Place;
  readonly toPorts?: Ports;
  readonly receivedOn?: { readonly device: string; readonly not: boolean };
  readonly message?: { readonly text: string; readonly type: number; readonly code?: number };
  readonly flags?: { readonly text: string; readonly set: number; readonly of: number };
  /** Of fragments alone; packets here are whole. */
  readonly fragment?: boolean;
  /** Percent of packets: now so, now so. */
  readonly chance?: number;
  readonly tagged?: { readonly tag: string; readonly not: boolean };
  /** A word of which the product can't know what it means. */
  readonly opaque?: string;
};

export type Rule = Criteria & {
  readonly kind: "rule";
  readonly action: "pass" | "drop" | "return" | "match";
  /** What else it does with what it lets through, so that nobody can say how it goes on. */
  readonly elsewhere?: string;
  readonly routeTo?: { readonly device: string; readonly hop: string };
  readonly tag?: string;
  /** Words that decide nothing. */
  readonly log: boolean;
  readonly label?: string;
  readonly tracker?: number;
};

export type Anchor = Criteria & { readonly kind: "anchor"; readonly name: string; readonly rules: readonly Line[] };

export type Line = Rule | Anchor;

/** `anchor` is "" for a table of the main rules. An entry with `not` is none of the table's, where it is the longest. */
export type Table = {
  readonly anchor: string;
  readonly name: string;
  readonly entries: readonly { readonly text: string; readonly not: boolean; readonly span?: Span }[];
};

/** A machine around its rules. Groups and addresses are by interface. */
export type Machine = {
  readonly devices: readonly {
    readonly name: string;
    readonly groups: readonly string[];
    readonly addresses: readonly { readonly text: string; readonly value: bigint }[];
  }[];
  readonly routes: readonly { readonly text: string; readonly span: Span; readonly device: string }[];
  readonly skipped: readonly string[];
  readonly tables: readonly Table[];
  readonly lines: readonly Line[];
};

/** The first packet of a flow. ICMPv6 has type and code, TCP flags, and those with ports ports. */
export type Packet = {
  readonly from: bigint;
  readonly to: bigint;
  readonly protocol: number;
  readonly fromPort: number;
  readonly toPort: number;
  readonly type: number;
  readonly code: number;
  readonly flags: number;
};

export const tcp = 6;
export const udp = 17;
export const icmp6 = 58;
export const sctp = 132;

export function isIn(value: bigint, { first, last }: Span): boolean {
  return value >= first && value <= last;
}
