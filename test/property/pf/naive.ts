import {
  type Anchor,
  type Criteria,
  icmp6,
  isIn,
  type Line,
  type Machine,
  type Packet,
  type Place,
  type Ports,
  type Rule,
  sctp,
  tcp,
  udp,
} from "./model.ts";

// pf(4) as its manual tells it, packet by packet: each rule is asked in turn, the last that matches decides, `quick` ends
// it at once, an anchor's rules are asked at its place. What can't be known is guessed both ways, and all answers kept.

/** How a packet may end. `elsewhere`: sent on another way, or as another packet. */
export type End = "pass" | "drop" | "return" | "elsewhere";

export type Opinion = {
  /** By guess of the words that can't be known, how the packet may end as chance falls. */
  readonly ends: readonly ReadonlySet<End>[];
  /** Whether a word that can't be known was asked of the packet. */
  readonly metOpaque: boolean;
};

type Pass = {
  readonly machine: Machine;
  readonly packet: Packet;
  readonly in: string;
  readonly direction: "in" | "out";
};
type Asked = Pass & { readonly device: string; readonly guesses: Guesses };

/** Answers to what can't be known, drawn one by one: the n-th question has the n-th bit. */
class Guesses {
  readonly #chance: number;
  readonly #opaque: number;
  chances = 0;
  opaques = 0;

  constructor(opaque: number, chance: number) {
    this.#opaque = opaque;
    this.#chance = chance;
  }

  chance(): boolean {
    return (this.#chance & (1 << this.chances++)) !== 0;
  }

  opaque(): boolean {
    return (this.#opaque & (1 << this.opaques++)) !== 0;
  }
}

/** What becomes of a packet that comes in by an interface: asked when it comes in, and once more when it leaves. */
export function opinionOf(machine: Machine, device: string, packet: Packet): Opinion {
  const ends: Set<End>[] = [];
  let metOpaque = false;
  // A guess may lead to questions that another never meets, so as many are made as any of them met.
  for (let opaque = 0, opaques = 0; opaque < 1 << opaques; opaque++) {
    const found = new Set<End>();
    for (let chance = 0, chances = 0; chance < 1 << chances; chance++) {
      const guesses = new Guesses(opaque, chance);
      found.add(wayOf(machine, device, packet, guesses));
      chances = Math.max(chances, guesses.chances);
      opaques = Math.max(opaques, guesses.opaques);
    }
    ends.push(found);
    metOpaque ||= opaques > 0;
  }
  return { ends, metOpaque };
}

function wayOf(machine: Machine, device: string, packet: Packet, guesses: Guesses): End {
  const incoming = passOf({ machine, packet, in: device, direction: "in", device, guesses });
  if (incoming !== "pass") return incoming;
  if (machine.devices.some(({ addresses }) => addresses.some(({ value }) => value === packet.to))) return "pass";
  const out = routeOf(machine, packet.to);
  // No way: it goes nowhere, and nobody is asked.
  if (out === undefined) return "drop";
  return passOf({ machine, packet, in: device, direction: "out", device: out, guesses });
}

function passOf(asked: Asked): End {
  if (asked.machine.skipped.includes(asked.device)) return "pass";
  const { decided, astray } = askAll(asked.machine.lines, "", asked);
  if (astray) return "elsewhere";
  if (decided === undefined) return "pass";
  if (decided.action !== "pass") return decided.action === "return" ? "return" : "drop";
  if (decided.elsewhere !== undefined) return "elsewhere";
  const { routeTo } = decided;
  return routeTo === undefined || (asked.direction === "out" && routeTo.device === asked.device) ? "pass" : "elsewhere";
}

type Found = { readonly decided?: Rule; readonly ended: boolean; readonly astray: boolean };

function askAll(lines: readonly Line[], anchor: string, asked: Asked): Found {
  let decided: Rule | undefined;
  let astray = false;
  for (const line of lines) {
    if (!fits(line, anchor, asked)) continue;
    if (line.kind === "rule") {
      // `match` decides nothing, but what it does to a packet is done.
      if (line.action === "match") {
        astray ||= line.elsewhere !== undefined;
        continue;
      }
      decided = line;
      if (line.quick) return { decided, ended: true, astray };
      continue;
    }
    const inner = askAll(line.rules, nameIn(anchor, line), asked);
    astray ||= inner.astray;
    decided = inner.decided ?? decided;
    // A quick anchor ends it where something in it matched.
    if (inner.ended || (line.quick && inner.decided !== undefined)) return { ...found(decided), ended: true, astray };
  }
  return { ...found(decided), ended: false, astray };
}

function found(decided: Rule | undefined): { readonly decided?: Rule } {
  return decided === undefined ? {} : { decided };
}

export function nameIn(anchor: string, { name }: Pick<Anchor, "name">): string {
  return [anchor, name.replace(/\/?\*$/, "")].filter((each) => each !== "").join("/");
}

function fits(rule: Line, anchor: string, asked: Asked): boolean {
  const { packet, direction, device } = asked;
  const { on, protocol, receivedOn, message, flags } = rule;
  const known =
    (rule.direction === undefined || rule.direction === direction) &&
    (on === undefined || on.devices.includes(device) !== on.not) &&
    rule.family !== "inet" &&
    (protocol === undefined || protocol.number === packet.protocol) &&
    placeFits(rule.from, packet.from, anchor, asked) &&
    placeFits(rule.to, packet.to, anchor, asked) &&
    portsFit(rule.fromPorts, packet.fromPort, packet) &&
    portsFit(rule.toPorts, packet.toPort, packet) &&
    (receivedOn === undefined || (receivedOn.device === asked.in) !== receivedOn.not) &&
    (message === undefined || messageFits(message, packet)) &&
    (flags === undefined || packet.protocol !== tcp || (packet.flags & flags.of) === flags.set) &&
    rule.fragment !== true;
  if (!known || !tagFits(rule.tagged, asked)) return false;
  if (rule.opaque !== undefined && !asked.guesses.opaque()) return false;
  return rule.chance === undefined || asked.guesses.chance();
}

function messageFits({ type, code }: NonNullable<Criteria["message"]>, packet: Packet): boolean {
  return packet.protocol === icmp6 && packet.type === type && (code === undefined || packet.code === code);
}

function portsFit(ports: Ports | undefined, port: number, { protocol }: Packet): boolean {
  return ports === undefined || ([tcp, udp, sctp].includes(protocol) && ports.fits(port));
}

/** Which packets some rule tagged is not followed here either; a tag that none gives nobody has. */
function tagFits(tagged: Criteria["tagged"], { machine, guesses }: Asked): boolean {
  if (tagged === undefined) return true;
  if (givesTag(machine.lines, tagged.tag)) return guesses.opaque();
  return tagged.not;
}

function givesTag(lines: readonly Line[], tag: string): boolean {
  return lines.some((line) => (line.kind === "rule" ? line.tag === tag : givesTag(line.rules, tag)));
}

function placeFits(place: Place, value: bigint, anchor: string, asked: Asked): boolean {
  const { machine } = asked;
  switch (place.kind) {
    case "any":
      return true;
    case "addresses":
      return place.spans.some((span) => isIn(value, span)) !== place.not;
    case "table":
      return isInTable(place.name, value, anchor, machine) !== place.not;
    case "no-route":
      return backTo(machine, value) === undefined;
    case "urpf-failed":
      return backTo(machine, value) !== asked.device;
    case "own":
      return (
        machine.devices.some(
          ({ name, addresses }) => place.devices.includes(name) && addresses.some((each) => each.value === value),
        ) !== place.not
      );
  }
}

/** The longest entry that has the address says it; an anchor's table hides that of the main rules. */
function isInTable(name: string, value: bigint, anchor: string, { tables }: Machine): boolean {
  const table =
    tables.find((each) => each.name === name && each.anchor === anchor) ??
    tables.find((each) => each.name === name && each.anchor === "");
  let longest: { readonly size: bigint; readonly not: boolean } | undefined;
  for (const { span, not } of table?.entries ?? []) {
    if (span === undefined || !isIn(value, span)) continue;
    const size = span.last - span.first;
    if (longest === undefined || size < longest.size) longest = { size, not };
  }
  return longest !== undefined && !longest.not;
}

/** Where what is sent back leaves: to an address of the machine's own nothing does, but its interface is known. */
function backTo(machine: Machine, from: bigint): string | undefined {
  const own = machine.devices.find(({ addresses }) => addresses.some(({ value }) => value === from));
  return own?.name ?? routeOf(machine, from);
}

function routeOf({ routes }: Machine, to: bigint): string | undefined {
  const fitting = routes.filter(({ span }) => isIn(to, span));
  const [best] = fitting.sort((a, b) => Number(a.span.last - a.span.first - (b.span.last - b.span.first) > 0n) * 2 - 1);
  return best?.device;
}
