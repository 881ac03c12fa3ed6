import { allocate } from "../../src/addressing/allocate.ts";
import { emptyLedger } from "../../src/addressing/ledger.ts";
import type { HostName } from "../../src/base/name.ts";
import { instant } from "../../src/base/time.ts";
import type { Basis } from "../../src/controller/controller.ts";
import { address } from "../../src/net/address.ts";
import { nth, prefix } from "../../src/net/prefix.ts";
import { labBasis, type MemoryController } from "../web/memory-controller.ts";
import { container, opening, refusal } from "../web/views.ts";

/** The lab's fleet with so many hosts, without containers that the file keeps; numbered, with its ledger. */
export function basisOf(count: number): Basis {
  const { fleet } = labBasis();
  const [, one] = [...fleet.hosts][0] ?? [];
  if (one === undefined) throw new Error("The lab has no host");
  const hosts = new Map(
    Array.from({ length: count }, (_, at) => {
      const name = `vm${at + 1}` as HostName;
      const docker = { ...one.docker, containers: new Map() };
      return [name, { ...one, name, docker }] as const;
    }),
  );
  const wanted = { ...fleet, hosts };
  const plan = allocate(wanted, emptyLedger(wanted.name));
  if (!plan.ok) throw new Error(JSON.stringify(plan.errors));
  return { fleet: wanted, plan: plan.value.plan, ledger: plan.value.ledger };
}

/** Each network of each host gets so many containers of these names; every second one is open. */
export function populate(controller: MemoryController, each: number, names: readonly string[]): void {
  for (const host of controller.basis().plan.hosts) {
    const all = host.networks.flatMap((network) =>
      Array.from({ length: each }, (_, at) => ({
        to: nth(network.prefix, at + 0x100) ?? host.address,
        name: names[at % names.length] ?? "",
        at,
      })),
    );
    controller.scene.containers.set(
      host.host,
      all.map(({ to, name }) => container(name, to)),
    );
    controller.scene.openings.set(
      host.host,
      all
        .filter(({ at }) => at % 2 === 0)
        .map(({ to, name }) =>
          opening(`${host.host} ${to}`, { host: host.host, to, container: { id: "a".repeat(64), name } }),
        ),
    );
    controller.scene.agents.push({ host: host.host, state: "connected", containers: all.length });
  }
}

/** Two sources that were turned away at the first host, and a request that was refused. */
export function disturb(controller: MemoryController): void {
  const [host] = controller.basis().plan.hosts;
  if (host === undefined) return;
  const to = controller.scene.containers.get(host.host)?.[1]?.endpoints[0]?.address ?? host.address;
  const event = { kind: "denied", at: instant(Date.now()), to, transport: "tcp", count: 7 } as const;
  controller.emit({ ...event, from: address("2600:1::5"), port: 22 });
  controller.emit({ ...event, from: address("2001:db8:aaaa::9"), port: 3389 });
  controller.scene.refusals.set(host.host, [refusal({ host: host.host, to })]);
  const first = controller.scene.openings.get(host.host)?.[0];
  if (first !== undefined)
    controller.scene.openings.get(host.host)?.push({ ...first, id: "office", from: [prefix("2001:db8:aaaa::/48")] });
}
