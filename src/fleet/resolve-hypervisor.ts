import type { NetworkName } from "../base/name.ts";
import type { Bridge, Hypervisor, Vm } from "./fleet.ts";
import { optional } from "./optional.ts";
import { resolveApi } from "./resolve-api.ts";
import type { FleetFile } from "./schema.ts";

type Entry = FleetFile["hypervisors"][string];

export function resolveHypervisor(name: string, entry: Entry): Hypervisor {
  const { kind, reach, api, exec, node } = entry;
  const bridges = Object.entries(entry.bridges).map(([bridge, each]): [string, Bridge] => {
    const { network, port, ipv4, gateway: gateway4, comment } = each;
    return [bridge, { network: network as NetworkName, ...optional({ port, ipv4, gateway4, comment }) }];
  });
  return {
    kind,
    reach,
    node: node ?? name,
    bridges: new Map(bridges),
    vms: new Map(Object.entries(entry.vms).map(([machine, each]) => [machine, resolveVm(each)])),
    ...(api === undefined ? {} : { api: resolveApi(api) }),
    ...optional({ exec }),
  };
}

function resolveVm(entry: Entry["vms"][string]): Vm {
  const {
    id,
    nics,
    clone,
    storage,
    "cloud-init": cloudInit,
    "ssh-keys": sshKeys,
    "anti-spoofing": antiSpoofing,
  } = entry;
  return { id, cloudInit, antiSpoofing, ...optional({ nics, clone, storage, sshKeys }) };
}
