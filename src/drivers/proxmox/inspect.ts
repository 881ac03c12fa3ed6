import type { HypervisorDesired } from "../../desired/desired.ts";
import type { Http } from "../../runtime/http.ts";
import { type Inspected, inspectClock } from "../inspected.ts";
import { type Pve, pathOf, pveAt, textOf } from "./api.ts";
import { networkPath } from "./network.ts";
import { missingRights, readingNeeds, writingNeeds } from "./rights.ts";

/** Version, rights of the token, clock, edits that wait. Rejects where the node is not reached or the token not known. */
export async function inspect(
  http: Http,
  desired: HypervisorDesired,
  now: number,
  signal?: AbortSignal,
): Promise<readonly Inspected[]> {
  const pve = pveAt(http, desired.cluster?.node ?? desired.device);
  return [
    await version(pve, signal),
    await rights(pve, desired, signal),
    inspectClock(1000 * Number(textOf(await pve.read(pathOf("nodes", pve.node, "time"), signal), "time")), now),
    await pending(pve, signal),
  ];
}

async function version(pve: Pve, signal?: AbortSignal): Promise<Inspected> {
  const release = textOf(await pve.read("/version", signal), "release") ?? "unknown";
  const [major = 0, minor = 0] = release.split(".").map(Number);
  const tried = (major === 8 && minor >= 4) || major === 9;
  return {
    what: "Proxmox VE",
    found: release,
    ...(tried ? {} : { fix: "written for 8.4 to 9.x: upgrade it, or leave api: out and use reach: ssh:root@host" }),
  };
}

async function rights(pve: Pve, desired: HypervisorDesired, signal?: AbortSignal): Promise<Inspected> {
  const missing = await missingRights(pve, [...readingNeeds(desired), ...writingNeeds(desired)], signal);
  return missing.length === 0
    ? { what: "rights of the token", found: "all that this fleet needs" }
    : {
        what: "rights of the token",
        found: `${missing.length} missing`,
        fix: `give user and token ${missing.join(", ")} (docs/hypervisor-proxmox.md)`,
      };
}

async function pending(pve: Pve, signal?: AbortSignal): Promise<Inspected> {
  const { changes } = await pve.listWithChanges(networkPath(pve), signal);
  return changes.trim() === ""
    ? { what: "edits that wait", found: "none" }
    : {
        what: "edits that wait",
        found: `${changes.split("\n").filter((line) => /^[-+](?![-+])/.test(line)).length} lines`,
        fix: "apply or revert them under System > Network on the node",
      };
}
