import type { OpenService, Service } from "../src/openings/opening.ts";
import type { AllowRule, OpeningPolicy } from "../src/openings/policy.ts";

/**
 * Policy told a second time, by numbers and without a line of the product's: who wants to know whether the product
 * is right must not ask it. An address is a bigint, a prefix the first and the last of its addresses.
 */
type Span = { readonly first: bigint; readonly last: bigint };

export type Ground = { readonly host: string; readonly block: string; readonly own: readonly string[] };

/** What is wrong with letting `service` through to an address of `host`; undefined when nothing is. */
export function complaint(
  policy: OpeningPolicy,
  ground: Ground | undefined,
  to: string,
  { service, from }: OpenService,
): string | undefined {
  if (ground === undefined) return "a host that is not there";
  const place = numberOf(to);
  const block = spanOf(ground.block);
  if (place < block.first || place > block.last) return "an address outside the block";
  if (ground.own.some((each) => numberOf(each) === place)) return "an address of host or gateway";
  if (from.length === 0) return "from nowhere";
  for (const point of pointsIn(policy, service)) {
    if (policy.never.some((each) => has(each, point))) return `never ${point.protocol} ${point.port}`;
    const rules = policy.allow.filter(
      (rule) => isFor(rule, ground.host) && rule.services.some((each) => has(each, point)),
    );
    const allowed = rules.flatMap((rule) => rule.from).map(spanOf);
    for (const source of from)
      if (!isCovered(spanOf(source), allowed)) return `${point.protocol} ${point.port} from ${source}`;
  }
  return undefined;
}

type Point = { readonly protocol: string; readonly port: number };

/** One port of every stretch in which no rule begins or ends: what holds there holds for the whole stretch. */
function pointsIn(policy: OpeningPolicy, service: Service): readonly Point[] {
  if (service.kind === "ping") return [{ protocol: "ping", port: 0 }];
  const { first, last } = service.ports;
  const edges = [...policy.never, ...policy.allow.flatMap((rule) => rule.services)].flatMap((each) =>
    each.kind === "ports" ? [each.ports.first, each.ports.last + 1] : [],
  );
  const ports = new Set([first, last, ...edges.filter((port) => port >= first && port <= last)]);
  return [...ports].map((port) => ({ protocol: service.transport, port }));
}

function has(service: Service, { protocol, port }: Point): boolean {
  if (service.kind === "ping") return protocol === "ping";
  return service.transport === protocol && port >= service.ports.first && port <= service.ports.last;
}

function isFor(rule: AllowRule, host: string): boolean {
  return rule.by.includes("labels") && (rule.hosts === "all" || rule.hosts.some((each) => each === host));
}

/** Whether the spans together hold all of it. */
function isCovered(wanted: Span, spans: readonly Span[]): boolean {
  let next = wanted.first;
  for (const { first, last } of spans.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    if (first > next) break;
    if (last >= next) next = last + 1n;
    if (next > wanted.last) return true;
  }
  return false;
}

function spanOf(prefix: string): Span {
  const [base = "", length = "128"] = prefix.split("/");
  const size = 1n << BigInt(128 - Number(length));
  const first = numberOf(base);
  return { first, last: first + size - 1n };
}

/** RFC 4291 §2.2, without a dotted tail: the product writes addresses in RFC 5952's form. */
function numberOf(text: string): bigint {
  const [head = "", tail] = text.split("::");
  const groupsOf = (part: string): readonly string[] => (part === "" ? [] : part.split(":"));
  const [before, after] = [groupsOf(head), groupsOf(tail ?? "")];
  const middle = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...middle, ...after].reduce((sum, group) => (sum << 16n) | BigInt(Number.parseInt(group, 16)), 0n);
}
