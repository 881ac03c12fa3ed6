import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Item } from "../../change/item.ts";
import type { BridgeDesired, HypervisorDesired } from "../../desired/desired.ts";
import { structure } from "../linux/guest-items.ts";
import { flagOf, type Pve, pathOf, type Row, textOf } from "./api.ts";
import { bridgeKey, isMark, linesKey, silencing } from "./convert.ts";

/** The node's interfaces by name. What is pending on the node counts: there is nothing pending, or the read rejects. */
export type Network = ReadonlyMap<string, Row>;

export function networkPath(pve: Pve, ...more: readonly string[]): string {
  return pathOf("nodes", pve.node, "network", ...more);
}

/**
 * All interfaces, the fleet's and our own with their options. Rejects with E580 when edits are written but not applied:
 * what is in force can't be read then, and applying ours would apply them. To be asked after the rights were checked.
 */
export async function readNetwork(pve: Pve, desired: HypervisorDesired, signal?: AbortSignal): Promise<Network> {
  const { rows, changes } = await pve.listWithChanges(networkPath(pve), signal);
  if (changes.trim() !== "") throw pendingEdits(pve, changes);
  return detailed(pve, desired, rows, signal);
}

/** With our own edits pending, for a look before they are applied. */
export async function readStaged(pve: Pve, desired: HypervisorDesired, signal?: AbortSignal): Promise<Network> {
  return detailed(pve, desired, await pve.list(networkPath(pve), signal), signal);
}

async function detailed(
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
  const options = row["options"];
  const there = Array.isArray(options) ? options.map((line) => String(line).trim().replaceAll(/\s+/g, " ")) : [];
  return silencing(bridge).filter((line) => there.includes(line));
}

/** Our line among those of the interface's comment. */
export function ownLine(row: Row): string | undefined {
  return commentLines(row).find(isMark);
}

export function commentLines(row: Row): readonly string[] {
  return (textOf(row, "comments") ?? "").split("\n").filter((line) => line !== "");
}
