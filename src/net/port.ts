/** Ports of TCP, UDP or SCTP, both ends included, 1-65535, `first` <= `last`. Port 0 is reserved (RFC 6335 §6). */
export type PortRange = { readonly first: number; readonly last: number };

/** Reads `80` or `8000-8099`. Undefined for anything else: signs, spaces, leading zeros, an end before its start. */
export function parsePortRange(text: string): PortRange | undefined {
  const dash = text.indexOf("-");
  const first = parsePort(dash < 0 ? text : text.slice(0, dash));
  const last = dash < 0 ? first : parsePort(text.slice(dash + 1));
  if (first === undefined || last === undefined || last < first) return undefined;
  return { first, last };
}

/** One port, 1-65535, in decimal without leading zeros. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

export function formatPortRange(range: PortRange): string {
  return range.first === range.last ? `${range.first}` : `${range.first}-${range.last}`;
}

export function portsOverlap(a: PortRange, b: PortRange): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** By first port, then by last. */
export function comparePortRanges(a: PortRange, b: PortRange): number {
  return a.first - b.first || a.last - b.last;
}
