import type { HostName } from "../base/name.ts";
import { printable } from "../base/printable.ts";
import type { Instant } from "../base/time.ts";
import { wrong } from "../base/wrong.ts";
import type { ContainerReport, Endpoint } from "./container-report.ts";
import { findEndpoints } from "./endpoints.ts";
import { effectiveLabels } from "./image-labels.ts";
import { formatPlace } from "./label-problem.ts";
import { type LabelRule, parseLabels } from "./labels.ts";
import type { Service } from "./opening.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { Request } from "./request.ts";
import { formatService, mergeServices } from "./services.ts";

/** What is known around a report. */
export type Surroundings = {
  /** The host that it came from: its certificate's, not what it says. */
  readonly host: HostName;
  /** All containers of that host by id: for `network_mode: container:x`. */
  readonly directory: ReadonlyMap<string, ContainerReport>;
  /** The policy's. */
  readonly trustImages: readonly string[];
  /** When this container was first seen with these labels. */
  readonly since: Instant;
};

export type Requests = { readonly requests: readonly Request[]; readonly refusals: readonly Refusal[] };

/**
 * What a container asks for by its labels: one request per rule, service and address. Nothing is asked for by EXPOSE or
 * `-p` alone. Refused here: what can't be read (E901 to E908), a container without an address that could be opened
 * (E909; not one that starts and gets its address only now), labels of the image (E910), `published` where nothing is
 * (E919).
 */
export function requestsOf(report: ContainerReport, around: Surroundings): Requests {
  const { labels, ignored } = effectiveLabels(report, around.trustImages);
  const reading = parseLabels(labels);
  const refusals: Refusal[] = [...ignored];
  for (const problem of reading.problems)
    refusals.push(refuse({ at: formatPlace(problem), text: problem.shown }, problem));
  const requests: Request[] = [];
  if (reading.rules.length === 0) return { requests, refusals };
  const found = findEndpoints(report, around.directory, reading.networks);
  for (const rule of reading.rules) {
    const asked = askedBy(rule);
    if (!("value" in found)) {
      refusals.push(refuse(asked, found));
      continue;
    }
    if (rule.published && report.published.length === 0) refusals.push(refuse(asked, nothingPublished));
    const services = servicesOf(rule, report);
    for (const { holder, endpoint } of found.value)
      for (const service of services) requests.push(requestOf(report, around, rule, { holder, endpoint }, service));
  }
  return { requests, refusals };
}

const nothingPublished = wrong(
  "E919",
  "Container publishes no port, or on loopback only",
  "name the ports, or publish them with -p",
);

function servicesOf(rule: LabelRule, report: ContainerReport): readonly Service[] {
  if (!rule.published) return rule.services;
  return mergeServices([...rule.services, ...report.published.map((each): Service => ({ kind: "ports", ...each }))]);
}

function askedBy(rule: LabelRule): Request["asked"] {
  const at = formatPlace({ key: rule.key, ...(rule.number === undefined ? {} : { rule: rule.number }) });
  return { at, text: rule.shown, ...(rule.comment === undefined ? {} : { comment: printable(rule.comment) }) };
}

type Place = { readonly holder: string; readonly endpoint: Endpoint };

function requestOf(
  report: ContainerReport,
  around: Surroundings,
  rule: LabelRule,
  { holder, endpoint }: Place,
  service: Service,
): Request {
  const asked = askedBy(rule);
  return {
    key: [around.host, report.id, endpoint.networkId, endpoint.address, asked.at, formatService(service)].join(" "),
    by: "labels",
    host: around.host,
    container: report.id,
    holder: { container: holder, networkId: endpoint.networkId },
    to: endpoint.address,
    service,
    from: rule.from,
    ...(rule.lease === undefined ? {} : { lease: rule.lease }),
    since: around.since,
    asked,
  };
}
