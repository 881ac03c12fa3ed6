import type { Instant } from "../base/time.ts";
import type { OpenService, Service } from "../openings/opening.ts";

/**
 * Milliseconds by which two ends may differ and still be the same: a kernel counts what is left in its own steps, and
 * is read some time after it was told.
 */
const slack = 5000;

/** Whether two lists, each in its lane's normal form, let the same through; their order does not matter. */
export function sameServices(a: readonly OpenService[], b: readonly OpenService[]): boolean {
  if (a.length !== b.length) return false;
  if (a.every((each, n) => isSame(each, b[n]))) return true;
  const byKey = new Map(b.map((each) => [keyOf(each), each]));
  return a.every((each) => isSame(each, byKey.get(keyOf(each))));
}

/** As {@link sameServices}, for what was read: what is about to end may be gone already, or not yet. */
export function sameAsRead(known: readonly OpenService[], read: readonly OpenService[], now: Instant): boolean {
  return sameServices(lasting(known, now), lasting(read, now));
}

/** Those of `services` that are in `others` too, source by source as they are written. */
export function common(services: readonly OpenService[], others: readonly OpenService[]): readonly OpenService[] {
  return services.filter((each) => others.some((other) => isSame(each, other)));
}

/** Those of `services` that are not in `others`, whenever they end. */
export function without(services: readonly OpenService[], others: readonly OpenService[]): readonly OpenService[] {
  const keys = new Set(others.map(keyOf));
  return services.filter((each) => !keys.has(keyOf(each)));
}

function lasting(services: readonly OpenService[], now: Instant): readonly OpenService[] {
  return services.some(({ ends }) => ends !== undefined && ends <= now + slack)
    ? services.filter(({ ends }) => ends === undefined || ends > now + slack)
    : services;
}

function isSame(a: OpenService, b: OpenService | undefined): boolean {
  if (a === b) return true;
  if (b === undefined || !isSameService(a.service, b.service)) return false;
  if (a.ends === undefined || b.ends === undefined ? a.ends !== b.ends : Math.abs(a.ends - b.ends) > slack)
    return false;
  return a.from.length === b.from.length && a.from.every((each, n) => each === b.from[n]);
}

function isSameService(a: Service, b: Service): boolean {
  if (a.kind === "ping" || b.kind === "ping") return a.kind === b.kind;
  return a.transport === b.transport && a.ports.first === b.ports.first && a.ports.last === b.ports.last;
}

function keyOf({ service, from }: OpenService): string {
  const what = service.kind === "ping" ? "ping" : `${service.transport} ${service.ports.first} ${service.ports.last}`;
  return `${what} ${from.join(" ")}`;
}
