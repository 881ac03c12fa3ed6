import { Failure } from "../../base/failure.ts";
import type { HypervisorDesired } from "../../desired/desired.ts";
import { type Pve, type Row, textOf } from "./api.ts";

/** At a path one of the privileges is needed. */
export type Need = { readonly path: string; readonly oneOf: readonly string[] };

/** What must be there before anything that is read can be believed: without it Proxmox leaves bridges and VMs out, unsaid. */
export function readingNeeds(desired: HypervisorDesired): readonly Need[] {
  const { node = "", vms = [] } = desired.cluster ?? {};
  return [
    { path: `/nodes/${node}`, oneOf: ["Sys.Audit"] },
    ...desired.bridges.map(({ name }) => ({ path: zonePath(name), oneOf: ["SDN.Audit", "SDN.Use"] })),
    ...vms.map(({ id }) => ({ path: `/vms/${id}`, oneOf: ["VM.Audit"] })),
    ...(isFiltering(desired) ? [{ path: "/", oneOf: ["Sys.Audit"] }] : []),
  ];
}

/** What a change needs beside. */
export function writingNeeds(desired: HypervisorDesired): readonly Need[] {
  const { node = "", vms = [] } = desired.cluster ?? {};
  const used = new Set(vms.flatMap(({ nics }) => nics.map(({ bridge }) => bridge)));
  return [
    { path: `/nodes/${node}`, oneOf: ["Sys.Modify"] },
    ...[...used].map((bridge) => ({ path: zonePath(bridge), oneOf: ["SDN.Use"] })),
    ...vms.flatMap(({ id, nics, clone }): readonly Need[] => [
      { path: `/vms/${id}`, oneOf: ["VM.Config.Network"] },
      ...(nics.some(({ ipconfig }) => ipconfig !== undefined) || clone?.sshKeys !== undefined
        ? [{ path: `/vms/${id}`, oneOf: ["VM.Config.Cloudinit"] }]
        : []),
      ...(clone === undefined
        ? []
        : [
            { path: `/vms/${clone.template}`, oneOf: ["VM.Clone"] },
            { path: `/vms/${id}`, oneOf: ["VM.Allocate"] },
            { path: `/vms/${id}`, oneOf: ["VM.PowerMgmt"] },
            // The notes, which say of a clone that it is not finished.
            { path: `/vms/${id}`, oneOf: ["VM.Config.Options"] },
          ]),
    ]),
  ];
}

/** The zone of all bridges that are in no zone. */
function zonePath(bridge: string): string {
  return `/sdn/zones/localnetwork/${bridge}`;
}

function isFiltering({ cluster }: HypervisorDesired): boolean {
  return cluster?.vms.some(({ nics }) => nics.some(({ sources }) => sources !== undefined)) ?? false;
}

/** Rejects with E581 and all that is missing. */
export async function requireRights(pve: Pve, needs: readonly Need[], signal?: AbortSignal): Promise<void> {
  const missing = await missingRights(pve, needs, signal);
  if (missing.length === 0) return;
  throw new Failure(
    "E581",
    pve.name,
    `The token lacks ${missing.join(", ")}: what it can't see is unknown, not absent`,
    "give user and token the role that docs/hypervisor-proxmox.md lists, on these paths or above",
  );
}

/** As `Sys.Audit on /nodes/pve1`, each once. */
export async function missingRights(
  pve: Pve,
  needs: readonly Need[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const all = await pve.read("/access/permissions", signal);
  const lacking = needs.filter(({ path, oneOf }) => !oneOf.some((privilege) => has(all, path, privilege)));
  return [...new Set(lacking.map(({ path, oneOf }) => `${oneOf.join(" or ")} on ${path}`))];
}

/**
 * The answer has a path for each that rights were given on; the nearest above speaks, and what does not propagate
 * holds at its own path only. Where no path above is listed there is nothing.
 */
function has(all: Row, path: string, privilege: string): boolean {
  for (let at = path; ; at = at.slice(0, Math.max(at.lastIndexOf("/"), 1)).replace(/^(.+)\/$/, "$1")) {
    const rights = all[at];
    if (typeof rights === "object" && rights !== null) {
      const found = textOf(rights as Row, privilege);
      return found === "1" || (found === "0" && at === path);
    }
    if (at === "/") return false;
  }
}
