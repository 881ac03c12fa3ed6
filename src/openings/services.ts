import { comparePortRanges, formatPortRange, type PortRange, portsOverlap } from "../net/port.ts";
import { protocolNumber, type Transport, transports } from "../net/transport.ts";
import type { Service } from "./opening.ts";

/** `80/tcp`, `8000-8099/udp`, `ping`: what a label or a fleet file says. One text per service, so it serves as a key. */
export function formatService(service: Service): string {
  return service.kind === "ping" ? "ping" : `${formatPortRange(service.ports)}/${service.transport}`;
}

/** By protocol number (tcp, udp, sctp) and port; ping last. */
export function compareServices(a: Service, b: Service): number {
  if (a.kind === "ping" || b.kind === "ping") return Number(a.kind === "ping") - Number(b.kind === "ping");
  return protocolNumber(a.transport) - protocolNumber(b.transport) || comparePortRanges(a.ports, b.ports);
}

/** Overlapping ranges of one transport become one, ranges that only touch stay two. Sorted: tcp, udp, sctp by port, then ping. */
export function mergeServices(services: readonly Service[]): readonly Service[] {
  const merged: Service[] = [];
  for (const transport of transports)
    merged.push(
      ...mergeRanges(rangesOf(services, transport)).map((ports): Service => ({ kind: "ports", transport, ports })),
    );
  if (services.some((each) => each.kind === "ping")) merged.push({ kind: "ping" });
  return merged;
}

/** Whether all that `wanted` opens is opened by `services` together. */
export function coverService(services: readonly Service[], wanted: Service): boolean {
  if (wanted.kind === "ping") return services.some((each) => each.kind === "ping");
  let next = wanted.ports.first;
  for (const range of rangesOf(services, wanted.transport)) {
    if (range.first > next) return false;
    next = Math.max(next, range.last + 1);
    if (next > wanted.ports.last) return true;
  }
  return false;
}

/** The first of `services` that has something in common with `wanted`. */
export function firstOverlap(services: readonly Service[], wanted: Service): Service | undefined {
  return services.find((each) =>
    each.kind === "ports" && wanted.kind === "ports"
      ? each.transport === wanted.transport && portsOverlap(each.ports, wanted.ports)
      : each.kind === wanted.kind,
  );
}

function rangesOf(services: readonly Service[], transport: Transport): readonly PortRange[] {
  return services
    .flatMap((each) => (each.kind === "ports" && each.transport === transport ? [each.ports] : []))
    .sort(comparePortRanges);
}

function mergeRanges(sorted: readonly PortRange[]): readonly PortRange[] {
  const merged: PortRange[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last === undefined || !portsOverlap(last, range)) merged.push(range);
    else merged[merged.length - 1] = { first: last.first, last: Math.max(last.last, range.last) };
  }
  return merged;
}
