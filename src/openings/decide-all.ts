import { compareKeys } from "../base/order.ts";
import type { Instant } from "../base/time.ts";
import { wrong } from "../base/wrong.ts";
import { type Decision, type DecisionContext, decide, type Granted, type Refused, refused } from "./decide.ts";
import type { OpeningPolicy } from "./policy.ts";
import type { Request } from "./request.ts";
import { formatService } from "./services.ts";

/**
 * Decides all that is asked on some hosts, limits included: give it all requests of a host at once. An opening is one
 * service at one address, whoever asks for it and however often. Where there are more than a container or a host may
 * have, those in `held` (keys of requests that are open) keep their place, then who came first, then by key; the rest
 * is refused with E918. The answer depends on the order of nothing; it has the order of `requests`.
 */
export function decideAll(
  policy: OpeningPolicy,
  requests: readonly Request[],
  context: DecisionContext,
  now: Instant,
  held: ReadonlySet<string>,
): readonly Decision[] {
  const decisions = requests.map((request) => decide(policy, request, context, now));
  const granted = decisions.filter((each) => each.kind === "granted");
  const over = overLimits(policy.limits, granted, ({ key }) => held.has(key));
  return decisions.map((each) => over.get(each.request) ?? each);
}

/** The part of {@link decideAll} that is about numbers: those of `granted` that are too many, with their refusals. */
export function overLimits(
  limits: OpeningPolicy["limits"],
  granted: readonly Granted[],
  isHeld: (request: Request) => boolean,
): ReadonlyMap<Request, Refused> {
  const over = new Map<Request, Refused>();
  const counts = { containers: new Map<string, Set<string>>(), hosts: new Map<string, Set<string>>() };
  for (const { request } of granted.toSorted(byClaim(isHeld))) {
    const refusal = count(limits, request, counts);
    if (refusal !== undefined) over.set(request, refusal);
  }
  return over;
}

function byClaim(isHeld: (request: Request) => boolean): (a: Granted, b: Granted) => number {
  return ({ request: a }, { request: b }) =>
    Number(isHeld(b)) - Number(isHeld(a)) || a.since - b.since || compareKeys(a.key, b.key);
}

type Counts = {
  readonly containers: Map<string, Set<string>>;
  readonly hosts: Map<string, Set<string>>;
};

function count(limits: OpeningPolicy["limits"], request: Request, counts: Counts): Refused | undefined {
  const { host, container, to, service } = request;
  const opening = `${to} ${formatService(service)}`;
  const ofHost = counts.hosts.get(host) ?? new Set();
  const ofContainer =
    container === undefined ? undefined : (counts.containers.get(`${host} ${container}`) ?? new Set());
  if (ofContainer !== undefined && !ofContainer.has(opening) && ofContainer.size >= limits.perContainer)
    return tooMany(request, "container", limits.perContainer, "per-container");
  if (!ofHost.has(opening) && ofHost.size >= limits.perHost)
    return tooMany(request, "host", limits.perHost, "per-host");
  counts.hosts.set(host, ofHost.add(opening));
  if (ofContainer !== undefined) counts.containers.set(`${host} ${container}`, ofContainer.add(opening));
  return undefined;
}

function tooMany(request: Request, of: string, most: number, key: string): Refused {
  const what = wrong("E918", `Policy gives one ${of} ${most} openings`, `ask for fewer, or raise policy.limits.${key}`);
  return refused(request, what);
}
