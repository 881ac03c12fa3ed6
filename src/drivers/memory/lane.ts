import { Failure } from "../../base/failure.ts";
import type { HostName } from "../../base/name.ts";
import { type Instant, instant } from "../../base/time.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { type Address, compareAddresses } from "../../net/address.ts";
import { formatPortRange } from "../../net/port.ts";
import { contains } from "../../net/prefix.ts";
import { PrefixSet } from "../../net/prefix-set.ts";
import type { OpenService } from "../../openings/opening.ts";
import type { AddressChange, Held, MembersLane } from "../members-lane.ts";

/** A live flow to an address of a host; `icmpv6` has no port. */
export type MemoryFlow = {
  readonly from: Address;
  readonly to: Address;
  readonly transport: string;
  readonly port?: number;
};

/** A gateway that holds openings and flows and nothing else. `fails`: readings and changes are refused. */
export type MemoryGateway = {
  readonly held: Map<Address, { readonly host: HostName; readonly services: readonly OpenService[] }>;
  flows: readonly MemoryFlow[];
  fails: boolean;
};

export function memoryGateway(): MemoryGateway {
  return { held: new Map(), flows: [], fails: false };
}

/** The lane as it is meant, on a gateway in memory: what the others are judged by. */
export function memoryLane(gateway: MemoryGateway, desired: GatewayDesired): MembersLane {
  const blocks = new Map(desired.hosts.map(({ host, block }) => [host, block]));
  function mustWork(): void {
    if (!gateway.fails) return;
    throw new Failure("E503", desired.device, "The gateway in memory was told to fail", "try again");
  }
  function one({ host, to, after }: AddressChange, now: Instant): void {
    const services = standing(normalize(after), now);
    if (services.length === 0) gateway.held.delete(to);
    else gateway.held.set(to, { host, services });
    gateway.flows = gateway.flows.filter(
      (flow) => flow.to !== to || admitted(flow, [...services, ...desired.openings]),
    );
  }
  return {
    normalize,
    async read() {
      mustWork();
      const now = instant(Date.now());
      const held = [...gateway.held].map(
        ([to, { host, services }]): Held => ({ host, to, services: standing(services, now) }),
      );
      return held.filter((each) => each.services.length > 0).sort((a, b) => compareAddresses(a.to, b.to));
    },
    async readAt(to) {
      mustWork();
      return standing(gateway.held.get(to)?.services ?? [], instant(Date.now()));
    },
    async change(changes, now) {
      mustWork();
      for (const { host, to } of changes) {
        const block = blocks.get(host);
        if (block !== undefined && contains(block, to)) continue;
        throw new Failure("E422", `${desired.device} opening to ${to}`, `Not in the block of ${host}`, "stay in it");
      }
      for (const each of changes) one(each, now);
    },
    end: () => Promise.resolve(),
  };
}

/** What is the same service with the same end is one, from the fewest prefixes; sorted by text. */
function normalize(services: readonly OpenService[]): readonly OpenService[] {
  const groups = Map.groupBy(services, (each) => `${serviceKey(each)} ${each.ends ?? ""}`);
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, group]) => {
      const [first] = group;
      return first === undefined ? [] : { ...first, from: PrefixSet.of(group.flatMap((each) => each.from)).prefixes() };
    });
}

function serviceKey({ service }: OpenService): string {
  return service.kind === "ping" ? "ping" : `${service.transport} ${formatPortRange(service.ports)}`;
}

function standing(services: readonly OpenService[], now: Instant): readonly OpenService[] {
  return services.filter((each) => each.ends === undefined || each.ends > now);
}

function admitted(flow: MemoryFlow, services: readonly Pick<OpenService, "service" | "from">[]): boolean {
  return services.some(({ service, from }) => {
    if (!from.some((each) => contains(each, flow.from))) return false;
    if (service.kind === "ping") return flow.transport === "icmpv6";
    const port = flow.port ?? 0;
    return service.transport === flow.transport && service.ports.first <= port && service.ports.last >= port;
  });
}
