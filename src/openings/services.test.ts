import fc from "fast-check";
import { expect, test } from "vitest";
import type { Service } from "./opening.ts";
import { compareServices, coverService, firstOverlap, formatService, mergeServices } from "./services.ts";

const anyService: fc.Arbitrary<Service> = fc.oneof(
  fc.constant<Service>({ kind: "ping" }),
  fc
    .tuple(fc.constantFrom("tcp", "udp", "sctp"), fc.integer({ min: 1, max: 40 }), fc.nat(9))
    .map(([transport, first, more]): Service => ({ kind: "ports", transport, ports: { first, last: first + more } })),
);

/** Each port by itself, and ping: what the functions have to agree with. */
function parts(services: readonly Service[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const each of services) {
    if (each.kind === "ping") found.add("ping");
    else for (let port = each.ports.first; port <= each.ports.last; port++) found.add(`${each.transport} ${port}`);
  }
  return found;
}

test("coverService and firstOverlap agree with ports one by one", () => {
  fc.assert(
    fc.property(fc.array(anyService, { maxLength: 6 }), anyService, (services, wanted) => {
      const [all, one] = [parts(services), parts([wanted])];
      expect(coverService(services, wanted)).toBe(one.isSubsetOf(all));
      const overlap = firstOverlap(services, wanted);
      expect(overlap === undefined).toBe(one.isDisjointFrom(all));
      if (overlap !== undefined) expect(parts([overlap]).isDisjointFrom(one)).toBe(false);
    }),
  );
});

test("mergeServices opens the same, sorted, without overlaps", () => {
  fc.assert(
    fc.property(fc.array(anyService, { maxLength: 8 }), (services) => {
      const merged = mergeServices(services);
      expect(parts(merged)).toEqual(parts(services));
      expect(merged.toSorted(compareServices)).toEqual(merged);
      for (const [i, each] of merged.entries()) expect(firstOverlap(merged.toSpliced(i, 1), each)).toBeUndefined();
    }),
  );
});

test.each<[Service, string]>([
  [{ kind: "ping" }, "ping"],
  [{ kind: "ports", transport: "udp", ports: { first: 443, last: 443 } }, "443/udp"],
  [{ kind: "ports", transport: "tcp", ports: { first: 80, last: 90 } }, "80-90/tcp"],
])("formatService writes %j as %s", (service, text) => {
  expect(formatService(service)).toBe(text);
});
