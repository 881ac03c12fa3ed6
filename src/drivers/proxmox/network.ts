import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Item } from "../../change/item.ts";
import type { BridgeDesired, HypervisorDesired } from "../../desired/desired.ts";
import { structure } from "../linux/guest-items.ts";
import { flagOf, type Pve, pathOf, type Row, textOf } from "./api.ts";
import { optionsIn, ownLine } from "./bridge-fields.ts";
import { bridgeKey, linesKey, silencing } from "./convert.ts";
import { withoutOwnEdits } from "./own-edits.ts";

/** The node's interfaces by name. */
export type Network = ReadonlyMap<string, Row>;

/** What is in force, and whether edits of ours wait that an apply which did not end has left behind. */
export type Found = { readonly network: Network; readonly left: boolean };

export function networkPath(pve: Pve, ...more: readonly string[]): string {
  return pathOf("nodes", pve.node, "network", ...more);
}

/**
 * All interfaces in force, the fleet's and our own with their options. Rejects with E580 when edits wait that are not
 * ours alone: what is in force can't be read then, and applying ours would apply them. To be asked after the rights
 * were checked.
 */
export async function readNetwork(pve: Pve, desired: HypervisorDesired, signal?: AbortSignal): Promise<Found> {
  const { rows, changes } = await pve.listWithChanges(networkPath(pve), signal);
  const staged = await detailed(pve, desired, rows, signal);
  if (changes.trim() === "") return { network: staged, left: false };
  const network = withoutOwnEdits(staged, changes, desired);
  if (network === undefined) throw pendingEdits(pve, changes);
  return { network, left: true };
}

/** With our own edits pending, for a look before they are applied. */
export async function readStaged(pve: Pve, desired: HypervisorDesired, signal?: AbortSignal): Promise<Network> {
  return detailed(pve, desired, await pve.list(networkPath(pve), signal), signal);
}

/** Those of the fleet and our own with their options. */
export async function detailed(
  pve: Pve,
  desired: HypervisorDesired,
  rows: readonly Row[],
  signal?: AbortSignal,
): Promise<Network> {
  const found = new Map(rows.map((row) => [textOf(row, "iface") ?? "", row]));
  const names = new Set(desired.bridges.map(({ name }) => name));
  for (const [name, row] of found) {
    if (!names.has(name) && ownLine(row) === undefined) continue;
    const full = await pve.read(networkPath(pve, name), signal);
    found.set(name, { ...row, ...full });
  }
  return found;
}

function pendingEdits(pve: Pve, changes: string): Failure {
  const lines = changes.split("\n").filter((line) => /^[-+](?![-+])/.test(line));
  const shown = lines.slice(0, 12).map((line) => printable(line.replaceAll("\t", " ").slice(0, 120)));
  return new Failure(
    "E580",
    pve.name,
    `Edits that are not sixgate's wait to be applied: ${shown.join(" | ")}${lines.length > 12 ? ` and ${lines.length - 12} more lines` : ""}`,
    "apply or revert them under System > Network on the node, then plan again",
  );
}

/** Items of the fleet's bridges and of those that carry our mark. */
export function networkItems(network: Network, desired: HypervisorDesired): readonly Item[] {
  const wanted = new Map(desired.bridges.map((bridge) => [bridge.name, bridge]));
  return [...network].flatMap(([name, row]) => {
    const bridge = wanted.get(name);
    if (bridge === undefined && ownLine(row) === undefined) return [];
    return [
      structure(bridgeKey(name), {
        type: textOf(row, "type") ?? "unknown",
        active: flagOf(row, "active"),
        autostart: flagOf(row, "autostart"),
        port: (textOf(row, "bridge_ports") ?? "").trim() || "none",
        address4: textOf(row, "cidr") ?? "none",
        gateway4: textOf(row, "gateway") ?? "none",
        address6: textOf(row, "cidr6") ?? "none",
        comment: ownLine(row) ?? "none",
      }),
      ...(bridge !== undefined && desired.cluster?.shell === true
        ? [structure(linesKey(name), presentLines(bridge, row))]
        : []),
    ];
  });
}

/** Which of the lines that silence a bridge are there, blanks made one. */
function presentLines(bridge: BridgeDesired, row: Row): readonly string[] {
  const there = optionsIn(row);
  return silencing(bridge).filter((line) => there.includes(line));
}
