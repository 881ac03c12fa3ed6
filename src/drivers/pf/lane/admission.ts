import type { GatewayDesired } from "../../../desired/desired.ts";
import { type Address, parseAddress } from "../../../net/address.ts";
import { contains, prefixOf } from "../../../net/prefix.ts";
import type { OpenService } from "../../../openings/opening.ts";
import type { PfState } from "../pfctl.ts";

/** From where its first packet came, and where it went. */
type Flow = { readonly from: Address; readonly to: Address; readonly protocol: string; readonly port: number };

/** Whether a flow to a host's address may go on when `services` are all that labels and people have open there. */
export type AdmissionTo = (flow: Flow, services: readonly OpenService[]) => boolean;

/** As the rules would have it, for flows that are already there. */
export function admissionTo(desired: GatewayDesired): AdmissionTo {
  const own = new Set<Address>(desired.own);
  const statics = Map.groupBy(desired.openings, (each) => each.to);
  const blocks = new Set(desired.hosts.map(({ block }) => block));
  return (flow, services) => {
    if (own.has(flow.from)) return true;
    if (desired.policy.betweenHosts === "open" && blocks.has(prefixOf(flow.from, desired.hostLength))) return true;
    return [...(statics.get(flow.to) ?? []), ...services].some((each) => admits(each, flow));
  };
}

/** Undefined for a state of IPv4, or one that pf prints in another way. */
export function flowOf({ ends, cameIn, protocol }: PfState): Flow | undefined {
  const [first, last] = [ends[0], ends.at(-1)];
  const [source, target] = cameIn ? [last, first] : [first, last];
  const [from, to] = [parseAddress(source?.address ?? ""), parseAddress(target?.address ?? "")];
  if (from === undefined || to === undefined || ends.length < 2) return undefined;
  return { from, to, protocol, port: target?.port ?? 0 };
}

function admits({ service, from }: Pick<OpenService, "service" | "from">, flow: Flow): boolean {
  if (!from.some((each) => contains(each, flow.from))) return false;
  if (service.kind === "ping") return /^(ipv6-)?icmp/.test(flow.protocol);
  const { first, last } = service.ports;
  return service.transport === flow.protocol && first <= flow.port && last >= flow.port;
}
