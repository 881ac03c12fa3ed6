import { Failure } from "../base/failure.ts";
import { derive } from "../desired/derive.ts";
import type { HypervisorDesired } from "../desired/desired.ts";
import { proxmoxWay } from "../drivers/api-way.ts";
import { inspect } from "../drivers/proxmox/inspect.ts";
import type { Finding } from "./finding.ts";
import type { Opened } from "./fleet-file.ts";

/** What can be said of hypervisors with an API before they are planned for: one that is not reached is a finding too. */
export async function hypervisorFindings({ fleet, plan }: Opened): Promise<readonly Finding[]> {
  const all = derive(fleet, plan).filter((each): each is HypervisorDesired => each.layer === "hypervisor");
  const found = await Promise.all(all.map(async (desired) => findingsOf(fleet, desired)));
  return found.flat();
}

async function findingsOf(fleet: Opened["fleet"], desired: HypervisorDesired): Promise<readonly Finding[]> {
  const { device } = desired;
  const { api, exec } = fleet.hypervisors.get(device) ?? {};
  if (api === undefined) return [];
  try {
    const { http } = await proxmoxWay(device, api, exec);
    const seen = await inspect(http, desired, Date.now());
    http.end();
    return seen.map(
      ({ what, found, fix }): Finding => ({
        name: `${device} ${what}`,
        state: fix === undefined ? "fine" : "missing",
        found,
        ...(fix === undefined ? {} : { fix }),
      }),
    );
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    const { code, text, fix } = cause.diagnostic;
    return [{ name: String(device), state: "missing", found: text, code, fix }];
  }
}
