import type { HostName } from "../../base/name.ts";
import type { OpeningView, RefusalView } from "../../controller/controller.ts";
import { PrefixSet } from "../../net/prefix-set.ts";
import type { ContainerReport } from "../../openings/container-report.ts";
import { decide } from "../../openings/decide.ts";
import type { Service } from "../../openings/opening.ts";
import type { Asker } from "../../openings/policy.ts";
import type { Request } from "../../openings/request.ts";
import { requestsOf } from "../../openings/requests-of.ts";
import { coverService, formatService } from "../../openings/services.ts";
import { anywhere, formatPrefix } from "../../openings/source.ts";
import type { Facts } from "./facts.ts";
import { holds, type Link, missing, unknown } from "./link.ts";
import type { Spot } from "./question.ts";
import type { Vantage } from "./vantage.ts";

/** Openings at the spot that have to do with the service. Together they may let in more than each alone. */
export function openingsAt(service: Service, spot: Spot, facts: Facts): readonly OpeningView[] {
  return facts.openings.filter((opening) => opening.to === spot.to && coverService([opening.service], service));
}

/** Who asked for it, and what the policy said. */
export function askLinks(service: Service, vantage: Vantage, spot: Spot, facts: Facts): readonly Link[] {
  const here = openingsAt(service, spot, facts);
  if (here.length === 0) return unopened(service, vantage, spot, facts);
  const whole = here.find((each) => letsIn(PrefixSet.of(each.from), vantage));
  const open = PrefixSet.of(here.flatMap((each) => each.from));
  if (whole !== undefined) return [requestLink(whole), grantLink(whole)];
  if (letsIn(open, vantage)) return here.flatMap((each) => [requestLink(each), grantLink(each)]);
  return [...here.map(requestLink), narrowLink(open, vantage)];
}

function requestLink(opening: OpeningView): Link {
  const { kind, name, text } = opening.askedBy;
  const what = text === "" ? formatService(opening.service) : text;
  if (kind === "fleet") return holds("request", `The fleet file asks for it: ${what}`);
  if (kind === "label") return holds("request", `A label of ${name} asks for it: ${what}`);
  return holds("request", `${name} asked for it${opening.reason === undefined ? "" : `: ${opening.reason}`}`);
}

function grantLink(opening: OpeningView): Link {
  const held = opening.state === "held" ? "; held from before, its host has not reported yet" : "";
  return holds("decision", `${opening.grantedBy} grants it${held}`);
}

/** It is open, but not to who asks. */
function narrowLink(open: PrefixSet, vantage: Vantage): Link {
  const beyond = vantage.from.find((each) => !open.contains(each));
  const who = beyond === undefined || beyond === anywhere ? "everybody" : formatPrefix(beyond);
  const text = `Open to ${listed(open)} only, not to ${who}`;
  return missing("decision", text, "widen `from` where it is asked for, within what the policy allows");
}

/** Whether all that the vantage stands for may come in. */
export function letsIn(open: PrefixSet, vantage: Vantage): boolean {
  return vantage.from.every((each) => open.contains(each));
}

export function listed(open: PrefixSet): string {
  const all = open.prefixes();
  return `${all.slice(0, 4).map(formatPrefix).join(", ")}${all.length > 4 ? " and others" : ""}`;
}

/** Nothing is open there: a rule that was refused, a label that can't be read, or nobody asked. */
function unopened(service: Service, vantage: Vantage, spot: Spot, facts: Facts): readonly Link[] {
  const near = facts.containers.filter((each) => each.id === spot.container?.id || each.mode === "container");
  const request = near
    .flatMap((each) => requestsIn(each, spot.host, facts))
    .find((each) => each.to === spot.to && coverService([each.service], service));
  if (request !== undefined)
    return [holds("request", `${request.asked.at} asks for it: ${request.asked.text}`), decisionLink(request, facts)];
  const rule = hypothetical(service, vantage, spot, facts);
  const unread = facts.refusals.find((each) => each.container.id === spot.container?.id && each.to === undefined);
  if (unread !== undefined) return [unreadLink(unread), rule];
  const fix = rule.state === "holds" ? askFix(service, vantage, spot) : "let the policy allow it first";
  return [
    missing("request", `Nobody asked for ${formatService(service)}${declaredText(service, spot, facts)}`, fix),
    rule,
  ];
}

function requestsIn(container: ContainerReport, host: HostName, facts: Facts): readonly Request[] {
  const directory = new Map(facts.containers.map((each) => [each.id, each]));
  const { trustImages } = facts.basis.fleet.policy.openings;
  return requestsOf(container, { host, directory, trustImages, since: facts.now }).requests;
}

function unreadLink(refusal: RefusalView): Link {
  return missing("request", `${refusal.at} asks for nothing: ${refusal.why}`, refusal.fix, refusal.code);
}

/** Limits and budgets are the controller's to know, so what it refused goes before what the policy says by itself. */
function decisionLink(request: Request, facts: Facts): Link {
  const refused = facts.refusals.find(
    (each) => each.to === request.to && each.at === request.asked.at && each.container.id === request.container,
  );
  if (refused !== undefined) return missing("decision", refused.why, refused.fix, refused.code);
  const decision = decide(facts.basis.fleet.policy.openings, request, facts.context, facts.now);
  if (decision.kind === "granted")
    return unknown(
      "decision",
      `${decision.grantedBy} grants it, but it is not open yet`,
      "ask again in a moment; `sixgate status` shows whether the gateway is reached",
    );
  const { why, fix, code } = decision.refusal;
  return missing("decision", why, fix, code);
}

/** What the policy would say if somebody asked: a label, or else a person. */
function hypothetical(service: Service, vantage: Vantage, spot: Spot, facts: Facts): Link {
  const ask = (by: Asker): ReturnType<typeof decide> => {
    const from = vantage.from.map((prefix) => ({ kind: "prefix", prefix }) as const);
    const asked = { at: "", text: "" };
    const request = { key: "", by, host: spot.host, to: spot.to, service, from, since: facts.now, asked };
    return decide(facts.basis.fleet.policy.openings, request, facts.context, facts.now);
  };
  const [label, person] = [ask("labels"), ask("people")];
  if (label.kind === "granted") return holds("decision", `${label.grantedBy} would grant it to a label`);
  if (person.kind === "granted") return holds("decision", `${person.grantedBy} would grant it to a person`);
  const { why, fix, code } = label.refusal;
  return missing("decision", `Would be refused: ${why}`, fix, code);
}

function declaredText(service: Service, spot: Spot, { suggestions }: Facts): string {
  const declared = suggestions.find(
    (each) =>
      each.address === spot.to &&
      coverService([{ kind: "ports", transport: each.transport, ports: each.ports }], service),
  );
  if (declared === undefined) return "";
  return declared.declared === "published"
    ? "; publishing it opens nothing"
    : "; that its image exposes it opens nothing";
}

function askFix(service: Service, vantage: Vantage, spot: Spot): string {
  const ports = formatService(service).replace("/tcp", "");
  const clause = vantage.source === undefined ? "" : ` from ${vantage.source}`;
  const target = spot.container === undefined ? spot.to : `${spot.host}/${spot.container.name}`;
  const byHand = `sixgate open ${target} ${ports} --from ${vantage.source ?? "any"} --for 1h --because "…"`;
  return `label its container sixgate.open="${ports}${clause}", or for some time: ${byHand}`;
}
