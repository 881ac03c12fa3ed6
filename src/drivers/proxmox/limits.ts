import type { Diagnostic } from "../../base/diagnostic.ts";
import { type ChangeSet, keyOf } from "../../change/change-set.ts";
import type { HypervisorDesired } from "../../desired/desired.ts";
import { auditBridges } from "../linux/bridge-limits.ts";

/** Over the API alone a bridge can't be silenced: what makes it so are lines of the file that the API only keeps. */
export function audit(desired: HypervisorDesired): readonly Diagnostic[] {
  const found = [...auditBridges(desired)];
  const open = desired.bridges.filter(({ silent }) => silent).map(({ name }) => name);
  if (open.length > 0 && desired.cluster?.shell !== true) {
    found.push({
      code: "W461",
      severity: "warning",
      at: String(desired.device),
      text: `The API can't say that ${open.join(", ")} have no link-local address and take no router advertisements: VMs reach the hypervisor past the gateway`,
      fix: "add exec: ssh:root@host beside api:, or leave api: out and write reach: ssh:root@host",
    });
  }
  return found;
}

export function consequences(set: ChangeSet): readonly string[] {
  const keys = set.changes.map(keyOf);
  const made = set.changes.flatMap((change) =>
    change.kind === "create" && change.after.key.startsWith("vm ") ? [change.after.key.slice(3)] : [],
  );
  const nics = set.changes.flatMap((change) =>
    change.kind === "update" && change.after.key.startsWith("nic ") ? [change.after.key.slice(4)] : [],
  );
  return [
    ...(keys.some((key) => key.startsWith("bridge ") || key.startsWith("lines "))
      ? [`${set.device}: the network of the node is reloaded (ifreload -a)`]
      : []),
    ...(nics.length > 0
      ? [
          `${set.device}: ${nics.join(", ")} will be unplugged and plugged anew where the VM runs, or wait for its restart`,
        ]
      : []),
    ...made.map(
      (vm) =>
        `${set.device}: ${vm} is cloned, and started once confirmed; an undo leaves it there, stopped, for the next apply`,
    ),
  ];
}
