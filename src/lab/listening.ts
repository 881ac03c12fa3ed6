import type { Opening } from "../openings/opening.ts";
import type { Listening } from "./state.ts";

/** A port that every container of a lab answers on, opened or not: what is closed must be closed by the gateway. */
export const always = 8080;

/**
 * What a container listens on: each opened range's first and last port and the port after it, so that an opening and
 * its neighbour can both be asked, and 8080. Sorted.
 */
export function listeningFor(openings: readonly Opening[], address: string): readonly Listening[] {
  const found = new Map<string, Listening>();
  const add = (transport: "tcp" | "udp", port: number): void => {
    if (port <= 65535) found.set(`${transport}/${port}`, { transport, port });
  };
  add("tcp", always);
  for (const { to, service } of openings) {
    if (to !== address || service.kind === "ping" || service.transport === "sctp") continue;
    for (const port of [service.ports.first, service.ports.last, service.ports.last + 1]) add(service.transport, port);
  }
  return [...found.values()].sort((a, b) => a.transport.localeCompare(b.transport) || a.port - b.port);
}

export function formatListening({ transport, port }: Listening): string {
  return `${transport}/${port}`;
}
