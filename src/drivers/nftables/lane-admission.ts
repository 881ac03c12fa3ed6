import type { GatewayDesired } from "../../desired/desired.ts";
import type { Address } from "../../net/address.ts";
import { parseWords } from "../../net/packed.ts";
import { contains } from "../../net/prefix.ts";
import type { OpenService } from "../../openings/opening.ts";
import { isUnderCeiling } from "./ceiling.ts";
import type { LiveFlow } from "./flows.ts";
import { hostFinder } from "./shards.ts";

/** Whether a flow to a host's address may go on when `services` are all that labels and people have open there. */
export type AdmissionTo = (flow: LiveFlow, services: readonly OpenService[]) => boolean;

/** As the chains `between` and `openings` would have it, for flows that are already there. */
export function admissionTo(desired: GatewayDesired): AdmissionTo {
  const { policy } = desired;
  const own = new Set<Address>(desired.own);
  const byAddress = Map.groupBy(desired.openings, (each) => each.to);
  const find = hostFinder(desired);
  const words = new Uint32Array(4);

  function hostOf(address: Address): string | undefined {
    parseWords(address, words, 0);
    return find(words, 0);
  }
  return (flow, services) => {
    if (own.has(flow.from) || own.has(flow.to)) return true;
    if (policy.betweenHosts === "open" && hostOf(flow.from) !== undefined) return true;
    if ((byAddress.get(flow.to) ?? []).some((each) => admits(each, flow))) return true;
    if (!services.some((each) => admits(each, flow))) return false;
    const port = flow.protocol === "icmpv6" || flow.toPort === undefined ? {} : { port: flow.toPort };
    const host = hostOf(flow.to) ?? "";
    return isUnderCeiling(policy.openings, { host, transport: flow.protocol, from: flow.from, ...port });
  };
}

function admits({ service, from }: Pick<OpenService, "service" | "from">, flow: LiveFlow): boolean {
  if (!from.some((each) => contains(each, flow.from))) return false;
  if (service.kind === "ping") return flow.protocol === "icmpv6";
  const port = flow.toPort ?? 0;
  return service.transport === flow.protocol && service.ports.first <= port && service.ports.last >= port;
}
