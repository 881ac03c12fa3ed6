import { Failure } from "../base/failure.ts";
import type { GatewayDesired } from "../desired/desired.ts";
import type { FleetTest } from "../fleet/fleet.ts";
import { containerShell } from "../lab/container-shell.ts";
import { openLab } from "../lab/open.ts";
import { internetNode } from "../lab/topology.ts";
import { vantages } from "../lab/vantage.ts";
import { nodeOf } from "../lab/wiring.ts";
import type { Address } from "../net/address.ts";
import type { Service } from "../openings/opening.ts";
import { formatService } from "../openings/services.ts";
import type { Answer, Question } from "../probe/probe.ts";
import type { Shell } from "../runtime/shell.ts";
import { localShell } from "../runtime/shell-local.ts";
import type { Opened } from "./fleet-file.ts";

/** A place that packets can be sent from: a shell there, and the address that they are sent with. */
export type Stand = { readonly shell: Shell; readonly from: string };

/**
 * Where packets can be sent from: in a lab every vantage, else this machine, which stands for the Internet. Undefined:
 * there is no way to send from there.
 */
export async function standAt(
  from: FleetTest["from"],
  opened: Opened,
  lab: string | true | undefined,
): Promise<Stand | undefined> {
  if (lab === undefined) return from.kind === "internet" ? { shell: localShell(), from: "::" } : undefined;
  const { nodes, state } = await openLab(lab === true ? "lab" : lab);
  if (from.kind === "management") return undefined;
  if (from.kind !== "host") {
    const name = from.kind === "group" ? from.group : "internet";
    const found = vantages(opened.fleet).find((each) => each.name === name);
    return found === undefined ? undefined : { shell: nodeOf(nodes, internetNode).shell, from: found.address };
  }
  if (from.container === undefined) {
    const numbers = opened.plan.hosts.find(({ host }) => host === from.host);
    return numbers === undefined ? undefined : { shell: nodeOf(nodes, from.host).shell, from: numbers.address };
  }
  const running = state.running.find(({ host, name }) => host === from.host && name === from.container);
  return running === undefined ? undefined : { shell: containerShell(nodes, running), from: running.address };
}

/** Ports that are often open where they should not be: what "all others" asks for with packets. */
const often = [21, 22, 23, 25, 53, 80, 111, 443, 2375, 3306, 5432, 6379, 8080, 9090];

/** A service as packets can ask for it: the first port of a range. SCTP has no prober. */
export function questionFor(stand: Stand, to: Address, service: Service): Question | undefined {
  if (service.kind === "ping") return { from: stand.from, to, transport: "ping" };
  if (service.transport === "sctp") return undefined;
  return { from: stand.from, to, transport: service.transport, port: service.ports.first };
}

/** What stands for everything but the open services: ports that are often open, the one behind each open one, and echo. */
export function othersThan(open: readonly Service[]): readonly Service[] {
  const isOpen = (port: number): boolean =>
    open.some(
      (each) =>
        each.kind === "ports" && each.transport === "tcp" && port >= each.ports.first && port <= each.ports.last,
    );
  const behind = open.flatMap((each) =>
    each.kind === "ports" && each.ports.last < 65_535 ? [each.ports.last + 1] : [],
  );
  const ports = [...new Set([...often, ...behind])].filter((port) => !isOpen(port)).sort((a, b) => a - b);
  const asked: Service[] = ports.map((port) => ({
    kind: "ports",
    transport: "tcp",
    ports: { first: port, last: port },
  }));
  return open.some((each) => each.kind === "ping") ? asked : [...asked, { kind: "ping" }];
}

/** Closed means silent: an answer of any kind would tell a stranger that somebody is there. */
export function isAsWanted(want: "open" | "closed", { state, reason }: Answer): boolean {
  if (want === "open") return state === "open";
  return reason === "no-response" && (state === "filtered" || state === "open|filtered");
}

export function serviceName(service: Service): string {
  return formatService(service);
}

/** Throws a Failure with E976 for what is not ours to knock at. */
export function requireOwn(to: Address, desired: GatewayDesired, isOwn: (to: Address) => boolean): void {
  if (isOwn(to)) return;
  throw new Failure("E976", to, `Not in ${desired.delegated}`, "only the fleet's own addresses are probed");
}
