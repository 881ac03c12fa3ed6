import type { Address } from "../net/address.ts";
import { formatPortRange, type PortRange } from "../net/port.ts";
import type { Transport } from "../net/transport.ts";
import type { ContainerReport, DeclaredPort } from "./container-report.ts";
import { findEndpoints } from "./endpoints.ts";
import { effectiveLabels } from "./image-labels.ts";
import { shown } from "./label-problem.ts";
import { parseLabels } from "./labels.ts";
import type { Service } from "./opening.ts";
import { compareServices, coverService, formatService } from "./services.ts";

/** A port that an image declares or that is published, and that no label asks for. It is closed, and stays so. */
export type Suggestion = {
  readonly address: Address;
  readonly transport: Transport;
  readonly ports: PortRange;
  readonly declared: "exposed" | "published";
  /** What the container's label would be then, encoded: `sixgate.open=80; 443`. */
  readonly label: string;
};

/** The most that one container suggests: EXPOSE costs an image nothing. */
export const mostSuggestions = 64;

/**
 * What somebody may have forgotten to open: for people to read, nothing acts on it. One per port and address, sorted by
 * address as the report has it, then port. None for a container that says `enable=false` or has no address of its own.
 */
export function suggestionsOf(
  report: ContainerReport,
  directory: ReadonlyMap<string, ContainerReport>,
  trustImages: readonly string[],
): readonly Suggestion[] {
  const { labels } = effectiveLabels(report, trustImages);
  if (labels["sixgate.enable"] === "false") return [];
  const { rules, networks } = parseLabels(labels);
  const found = findEndpoints(report, directory, networks);
  if (!("value" in found)) return [];
  const published = rules.some((rule) => rule.published) ? report.published.map(serviceOf) : [];
  const asked = [...rules.flatMap((rule) => rule.services), ...published];
  const missing = declaredBy(report).filter(({ service }) => !coverService(asked, service));
  return found.value
    .flatMap(({ endpoint }) =>
      missing.map(({ port: { transport, ports }, declared }) => ({
        address: endpoint.address,
        transport,
        ports,
        declared,
        label: labelWith(labels["sixgate.open"], { transport, ports }),
      })),
    )
    .slice(0, mostSuggestions);
}

type Declared = {
  readonly service: Service;
  readonly port: DeclaredPort;
  readonly declared: Suggestion["declared"];
};

/** Each once; what is published was meant more than what is only exposed. */
function declaredBy(report: ContainerReport): readonly Declared[] {
  const found = new Map<string, Declared>();
  for (const declared of ["published", "exposed"] as const) {
    for (const port of report[declared]) {
      const service = serviceOf(port);
      const key = formatService(service);
      if (!found.has(key)) found.set(key, { service, port, declared });
    }
  }
  return [...found.values()].sort((a, b) => compareServices(a.service, b.service)).slice(0, mostSuggestions);
}

function serviceOf({ transport, ports }: DeclaredPort): Service {
  return { kind: "ports", transport, ports };
}

function labelWith(open: string | undefined, { transport, ports }: DeclaredPort): string {
  const rule = `${formatPortRange(ports)}${transport === "tcp" ? "" : `/${transport}`}`;
  // A list over several lines is not repeated on one: its comments would swallow what comes behind them.
  const before = open === undefined || open.trim() === "" || open.includes("\n") ? "" : `${open.trim()}; `;
  return `sixgate.open=${shown(`${before}${rule}`)}`;
}
