import { Failure } from "../base/failure.ts";
import { derive } from "../desired/derive.ts";
import type { Desired, EngineDesired, GatewayDesired, HypervisorDesired, ProviderDesired } from "../desired/desired.ts";
import { proxmoxWay, robotWay } from "../drivers/api-way.ts";
import { inspectEngine } from "../drivers/docker/inspect.ts";
import { gatewayWay } from "../drivers/gateway-way.ts";
import { inspectRobot } from "../drivers/hetzner/inspect.ts";
import type { Inspected } from "../drivers/inspected.ts";
import { inspectOpnSense } from "../drivers/opnsense/inspect.ts";
import { inspectPfSense } from "../drivers/pfsense/inspect.ts";
import { inspect } from "../drivers/proxmox/inspect.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { ApiWay } from "../runtime/way.ts";
import type { Finding } from "./finding.ts";
import type { Opened } from "./fleet-file.ts";
import { shellBy } from "./ways.ts";

/** What can be said of each device before it is planned for: one that is not reached is a finding too. */
export async function deviceFindings({ fleet, plan }: Opened): Promise<readonly Finding[]> {
  const found = await Promise.all(derive(fleet, plan).map((desired) => findingsOf(fleet, desired)));
  return found.flat();
}

async function findingsOf(fleet: Fleet, desired: Desired): Promise<readonly Finding[]> {
  const { device, layer } = desired;
  try {
    return (await inspected(fleet, desired)).map((each) => findingOf(`${device} ${each.what}`, each));
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    const { code, text, fix } = cause.diagnostic;
    return [{ name: `${device} ${layer}`, state: "missing", found: text, code, fix }];
  }
}

function findingOf(name: string, { found, note, code, fix }: Inspected): Finding {
  return {
    name,
    state: fix !== undefined ? "missing" : note === true ? "note" : "fine",
    found,
    ...(code === undefined ? {} : { code }),
    ...(fix === undefined ? {} : { fix }),
  };
}

/** Nothing of what has no API and no engine: that is only read. */
async function inspected(fleet: Fleet, desired: Desired): Promise<readonly Inspected[]> {
  switch (desired.layer) {
    case "provider":
      return ofProvider(fleet, desired);
    case "hypervisor":
      return ofHypervisor(fleet, desired);
    case "gateway":
      return ofGateway(fleet, desired);
    case "engine":
      return ofEngine(fleet, desired);
    case "guest":
      return [];
  }
}

async function ofProvider({ provider }: Fleet, desired: ProviderDesired): Promise<readonly Inspected[]> {
  if (provider.api === undefined) return [];
  return ended(await robotWay(provider.name, provider.api), ({ http }) => inspectRobot(http, desired, Date.now()));
}

async function ofHypervisor({ hypervisors }: Fleet, desired: HypervisorDesired): Promise<readonly Inspected[]> {
  const { api, exec } = hypervisors.get(desired.device) ?? {};
  if (api === undefined) return [];
  return ended(await proxmoxWay(desired.device, api, exec), ({ http }) => inspect(http, desired, Date.now()));
}

async function ofGateway({ gateway }: Fleet, desired: GatewayDesired): Promise<readonly Inspected[]> {
  const way = desired.driver === "nftables" ? undefined : await gatewayWay(gateway);
  if (way === undefined) return [];
  const inspector = desired.driver === "opnsense" ? inspectOpnSense : inspectPfSense;
  return ended(way, (open) => inspector(open, desired, Date.now()));
}

async function ofEngine({ hosts }: Fleet, desired: EngineDesired): Promise<readonly Inspected[]> {
  const host = [...hosts.values()].find(({ name }) => String(name) === String(desired.device));
  const shell = host === undefined ? undefined : shellBy(host.reach);
  return shell === undefined ? [] : inspectEngine(shell, desired);
}

/** Connections of a way do not outlive the question, answered or not. */
async function ended<T>(way: ApiWay, ask: (way: ApiWay) => Promise<T>): Promise<T> {
  try {
    return await ask(way);
  } finally {
    way.http.end();
  }
}
