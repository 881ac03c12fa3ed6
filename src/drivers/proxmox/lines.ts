import type { HypervisorDesired } from "../../desired/desired.ts";
import type { Shell } from "../../runtime/shell.ts";
import { type Piece, readPieces, writePieces } from "../linux/stanzas.ts";
import { interfacesPath, silencing } from "./convert.ts";

/** Where Proxmox keeps edits until they are applied. */
export const stagedPath = `${interfacesPath}.new`;

/**
 * Puts the lines that the API can't write into what waits to be applied, beside the edits made over the API. Written
 * at once as a whole; the caller has made sure that nobody else's edits are there.
 */
export async function stageLines(shell: Shell, desired: HypervisorDesired): Promise<void> {
  const text = (await shell.read(stagedPath)) ?? (await shell.read(interfacesPath)) ?? "";
  const now = withLines(text, desired);
  if (now !== text) await shell.write(stagedPath, now);
}

/** Each bridge's missing lines behind the options of its stanza, before its comment; every other byte stays. */
export function withLines(text: string, desired: HypervisorDesired): string {
  const wanted = new Map(desired.bridges.map((bridge) => [bridge.name, silencing(bridge)]));
  return writePieces(readPieces(text).map((piece) => completed(piece, wanted)));
}

function completed(piece: Piece, wanted: ReadonlyMap<string, readonly string[]>): Piece {
  if (piece.kind !== "iface" || piece.family === "inet6") return piece;
  const there = new Set(piece.options.map(({ key, value }) => `${key} ${value.trim().replaceAll(/\s+/g, " ")}`));
  const missing = (wanted.get(piece.name) ?? []).filter((line) => !there.has(line));
  if (missing.length === 0) return piece;
  const lines = piece.text.split(/(?<=\n)/);
  const last = lines.findLastIndex((line) => !/^\s*(?:#|$)/.test(line));
  const added = missing.map((line) => `\t${line}\n`);
  const before = lines.slice(0, last + 1).map((line) => (line.endsWith("\n") ? line : `${line}\n`));
  return { ...piece, text: [...before, ...added, ...lines.slice(last + 1)].join("") };
}
