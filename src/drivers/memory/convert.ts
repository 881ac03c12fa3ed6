import { compareKeys } from "../../base/order.ts";
import type { Item, Value } from "../../change/item.ts";
import type { Desired, EngineDesired, GatewayDesired, GuestDesired, HypervisorDesired } from "../../desired/desired.ts";
import { formatPortRange } from "../../net/port.ts";
import type { Service } from "../../openings/opening.ts";
import type { RenderedFile } from "../driver.ts";

/** Sorted by key. One item per thing that can come and go by itself. */
export function normalize(desired: Desired): readonly Item[] {
  return itemsOf(desired).toSorted((a, b) => compareKeys(a.key, b.key));
}

/** The items as one text, as a device would print its configuration. */
export function render(desired: Desired): readonly RenderedFile[] {
  const lines = normalize(desired).map(({ key, value }) => `${key} = ${JSON.stringify(value)}\n`);
  return [{ path: `/memory/${desired.layer}`, text: lines.join("") }];
}

function itemsOf(desired: Desired): readonly Item[] {
  switch (desired.layer) {
    case "provider":
      return [structure(`prefix ${desired.prefix}`, { mac: desired.mac })];
    case "hypervisor":
      return bridges(desired);
    case "guest":
      return guest(desired);
    case "gateway":
      return gateway(desired);
    case "engine":
      return engine(desired);
  }
}

function structure(key: string, value: Value): Item {
  return { key, value, lane: "structure" };
}

function bridges(desired: HypervisorDesired): readonly Item[] {
  return desired.bridges.map(({ name, ...rest }) => structure(`bridge ${name}`, rest));
}

function guest(desired: GuestDesired): readonly Item[] {
  return [
    ...desired.links.flatMap(({ name, addresses, addresses4, proxies }) => [
      ...[...addresses, ...addresses4].map((each) => structure(`address ${name} ${each}`, true)),
      ...proxies.map((each) => structure(`proxy ${name} ${each}`, true)),
    ]),
    ...desired.routes.map((route) =>
      structure(
        `route ${route.to}`,
        route.kind === "unreachable" ? "unreachable" : `via ${route.via} dev ${route.device}`,
      ),
    ),
    ...desired.sysctls.map(({ key, value }) => structure(`sysctl ${key}`, value)),
  ];
}

function gateway(desired: GatewayDesired): readonly Item[] {
  return [
    structure("policy", { betweenHosts: desired.policy.betweenHosts, egress: desired.policy.egress }),
    structure("bogons", desired.bogons),
    structure("own", desired.own),
    ...desired.hosts.map(({ host, block, link, address, mac }) =>
      structure(`host ${host}`, { block, link, address, mac }),
    ),
    ...desired.openings.map(
      (each): Item => ({ key: `opening ${each.to} ${wordsOf(each.service)}`, value: each.from, lane: "members" }),
    ),
  ];
}

function engine(desired: EngineDesired): readonly Item[] {
  const { major, minor } = desired.engine;
  return [
    structure("engine", {
      version: `${major}.${minor}`,
      profile: desired.profile,
      block: desired.block,
      uplink: desired.uplink,
    }),
    ...desired.networks.map(({ name, ...rest }) => structure(`network ${name}`, rest)),
  ];
}

function wordsOf(service: Service): string {
  return service.kind === "ping" ? "ping" : `${service.transport} ${formatPortRange(service.ports)}`;
}
