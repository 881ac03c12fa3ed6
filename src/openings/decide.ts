import { formatDuration } from "../base/duration.ts";
import type { HostName } from "../base/name.ts";
import { type Instant, instant, type Seconds, seconds } from "../base/time.ts";
import { formatTimestamp } from "../base/timestamp.ts";
import { type Read, type Wrong, wrong } from "../base/wrong.ts";
import type { Address } from "../net/address.ts";
import { contains, type Prefix } from "../net/prefix.ts";
import { PrefixSet } from "../net/prefix-set.ts";
import type { AllowRule, OpeningPolicy } from "./policy.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { Request } from "./request.ts";
import { resolveSources, type SourceNames } from "./resolve-sources.ts";
import { coverService, firstOverlap, formatService } from "./services.ts";
import { formatPrefix } from "./source.ts";

/** What a decision is made by, beside policy and request. */
export type DecisionContext = SourceNames & {
  readonly hosts: ReadonlyMap<HostName, HostGround>;
};

/** Where containers of a host may be: in its block, but for the addresses of gateway and host themselves. */
export type HostGround = { readonly block: Prefix; readonly own: readonly Address[] };

export type Granted = {
  readonly kind: "granted";
  readonly request: Request;
  /** Never empty, the fewest prefixes. */
  readonly from: readonly Prefix[];
  /** The id of the policy's rule. */
  readonly grantedBy: string;
  readonly ends?: Instant;
};
export type Refused = { readonly kind: "refused"; readonly request: Request; readonly refusal: Refusal };
export type Decision = Granted | Refused;

/**
 * Whether what is asked may be open now. Pure and total. The address must be one of the host's containers (E916);
 * `never` wins (E911); then the first rule for this asker and host that covers service (E912), all sources (E913) and
 * lease (E914) grants it. Nothing is narrowed to fit: what asks for more than a rule gives is refused, with the reason
 * of the rule that came nearest. Limits on numbers are not looked at: see `decideAll`.
 */
export function decide(policy: OpeningPolicy, request: Request, context: DecisionContext, now: Instant): Decision {
  const misplaced = checkPlace(request, context);
  if (misplaced !== undefined) return refused(request, misplaced);
  const never = firstOverlap(policy.never, request.service);
  if (never !== undefined)
    return refused(request, wrong("E911", `Policy never opens ${formatService(never)}`, "use another port"));
  const from = resolveSources(request.from, context);
  if (!("value" in from)) return refused(request, from);
  const granted = findRule(policy, request, from.value);
  if (!("value" in granted)) return refused(request, granted);
  const { id: grantedBy, ends } = granted.value;
  if (ends !== undefined && ends <= now)
    return refused(
      request,
      wrong("E915", `Ended at ${formatTimestamp(ends)}`, "start the container anew, or ask again"),
    );
  return { kind: "granted", request, from: from.value, grantedBy, ...(ends === undefined ? {} : { ends }) };
}

export function refused(request: Request, what: Wrong): Refused {
  return { kind: "refused", request, refusal: refuse(request.asked, what, request.to) };
}

function checkPlace({ host, to }: Request, context: DecisionContext): Wrong | undefined {
  const ground = context.hosts.get(host);
  if (ground === undefined) return wrong("E916", `Fleet file has no host ${host}`, "add it to the fleet file");
  if (!contains(ground.block, to))
    return wrong(
      "E916",
      `Address is outside ${ground.block}, the block of ${host}`,
      "connect it to a network of the fleet file",
    );
  return ground.own.includes(to)
    ? wrong(
        "E916",
        `Address belongs to ${host} or the gateway, not to a container`,
        "open it in the fleet file, if at all",
      )
    : undefined;
}

type Grant = { readonly id: string; readonly ends?: Instant };

/** How far each rule goes along with the request; the one that goes farthest says what is missing. */
function findRule(policy: OpeningPolicy, request: Request, from: readonly Prefix[]): Read<Grant> {
  const { service, host, by } = request;
  const here = policy.allow.filter(
    (rule) => rule.by.includes(by) && (rule.hosts === "all" || rule.hosts.includes(host)),
  );
  const fitting = here.filter((rule) => coverService(rule.services, service));
  const wide = fitting.filter((rule) => coversSources(rule, from));
  for (const rule of wide) {
    const ends = endOf(request, boundOf(policy, rule, request));
    if (ends !== undefined) return { value: { id: rule.id, ...ends } };
  }
  if (wide.length > 0) return tooLong(request, Math.max(...wide.map((rule) => boundOf(policy, rule, request) ?? 0)));
  return fitting.length > 0 ? notFrom(fitting, from) : notAllowed(request, here.length > 0);
}

function coversSources(rule: AllowRule, from: readonly Prefix[]): boolean {
  const allowed = setOf(rule.from);
  return from.every((each) => allowed.contains(each));
}

/** The sets of rules, kept by their lists: to make that of a thousand prefixes takes fifty times as long as to decide. */
const sets: WeakMap<readonly Prefix[], PrefixSet> = new WeakMap();

function setOf(prefixes: readonly Prefix[]): PrefixSet {
  const known = sets.get(prefixes) ?? PrefixSet.of(prefixes);
  sets.set(prefixes, known);
  return known;
}

/** A person's opening always has an end. */
function boundOf(policy: OpeningPolicy, rule: AllowRule, { by }: Request): Seconds | undefined {
  if (by === "labels") return rule.longest;
  const { lease } = policy.limits;
  return rule.longest === undefined || lease < rule.longest ? lease : rule.longest;
}

/** A request that names no lease gets the longest there is. Undefined where it asks for more than that. */
function endOf({ lease, since }: Request, longest: Seconds | undefined): { readonly ends?: Instant } | undefined {
  const latest = longest === undefined ? undefined : instant(since + longest * 1_000);
  if (lease === undefined) return latest === undefined ? {} : { ends: latest };
  const ends = lease.kind === "for" ? instant(since + lease.length * 1_000) : lease.at;
  return latest === undefined || ends <= latest ? { ends } : undefined;
}

function tooLong({ since }: Request, longest: number): Wrong {
  const most = formatDuration(seconds(longest));
  const latest = formatTimestamp(instant(since + longest * 1_000));
  return wrong("E914", `Policy grants this for ${most} at most`, `ask for ${most} or less, that is until ${latest}`);
}

function notFrom(rules: readonly AllowRule[], from: readonly Prefix[]): Wrong {
  const allowed = PrefixSet.of(rules.flatMap((rule) => rule.from));
  const beyond = from.find((each) => !allowed.contains(each));
  const said = rules.slice(0, 4).map((rule) => `${rule.id} is for ${sourcesOf(rule)}`);
  if (beyond === undefined)
    return wrong(
      "E913",
      "No single rule of the policy opens this to all its sources",
      `make it several: ${said.join("; ")}`,
    );
  return wrong("E913", `Policy does not open this to ${formatPrefix(beyond)}`, `narrow \`from\`: ${said.join("; ")}`);
}

function sourcesOf({ from }: AllowRule): string {
  return `${from.slice(0, 4).map(formatPrefix).join(", ")}${from.length > 4 ? " and others" : ""}`;
}

function notAllowed({ service, host, by }: Request, any: boolean): Wrong {
  const who = by === "labels" ? "labels" : "people";
  const what = any ? `${formatService(service)} on ${host}` : `anything on ${host}`;
  return wrong(
    "E912",
    `No rule of the policy lets ${who} open ${what}`,
    "add it to policy.allow in the fleet file, or use a port that is there",
  );
}
