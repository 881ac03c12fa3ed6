import { printable } from "../../base/printable.ts";
import type { Item } from "../../change/item.ts";
import type { BridgeDesired, HypervisorDesired } from "../../desired/desired.ts";
import type { RenderedFile } from "../driver.ts";
import { inOrder, routeKey, structure, sysctlKey } from "../linux/guest-items.ts";
import { silences } from "../linux/silence.ts";
import { type Iface, type Option, type Piece, readPieces, writePieces } from "../linux/stanzas.ts";

export const interfacesPath = "/etc/network/interfaces";

/** What is there where the machine has no file yet. */
const bareFile = "auto lo\niface lo inet loopback\n\n";

/** Starts the comment under each stanza of ours. Proxmox keeps it, as the interface's comment. */
const mark = "sixgate";

/** A file of its own, in the form that Proxmox's own parser writes back unchanged. */
export function render(desired: HypervisorDesired): readonly RenderedFile[] {
  return [{ path: interfacesPath, text: withBridges(undefined, desired) }];
}

/** Stanzas as they are in the file, and the bridges as they are in the kernel. */
export function normalize(desired: HypervisorDesired): readonly Item[] {
  const ports = desired.bridges.flatMap(({ port }) => (port === undefined ? [] : [port]));
  return inOrder([
    ...[...new Set(ports)].map((port) => structure(stanzaKey(port), "manual")),
    ...desired.bridges.map((bridge) => structure(stanzaKey(bridge.name), stanzaLines(bridge))),
    ...desired.bridges.map((bridge) => structure(bridgeKey(bridge.name), bridgeValue(bridge))),
    ...desired.bridges.flatMap(({ name, gateway4 }) =>
      gateway4 === undefined ? [] : [structure(routeKey("0.0.0.0/0"), `via ${gateway4} dev ${name}`)],
    ),
    ...desired.bridges.flatMap(silences).map(({ key, value }) => structure(sysctlKey(key), value)),
  ]);
}

export function stanzaKey(name: string): string {
  return `stanza ${name}`;
}

export function bridgeKey(name: string): string {
  return `bridge ${name}`;
}

/** `address6`: how many addresses of IPv6 it holds, link-local ones too; not said of bridges that may have some. */
function bridgeValue({ port, address4, silent }: BridgeDesired): Item["value"] {
  return { up: true, port: port ?? "none", address4: address4 ?? "none", ...(silent ? { address6: "none" } : {}) };
}

/** The stanza without its indent: the head, then our options in Proxmox's order, then our comment. */
function stanzaLines(bridge: BridgeDesired): readonly string[] {
  const { name, port, address4, gateway4, silent, comment } = bridge;
  return [
    `auto ${name}`,
    `iface ${name} inet ${address4 === undefined ? "manual" : "static"}`,
    ...(address4 === undefined ? [] : [`address ${address4}`]),
    ...(gateway4 === undefined ? [] : [`gateway ${gateway4}`]),
    `bridge-ports ${port ?? "none"}`,
    "bridge-stp off",
    "bridge-fd 0",
    // VMs' taps are plugged in by others: without this ifupdown2 3.0 throws them out at each reload.
    "bridge-ports-condone-regex .*",
    ...(silent ? ["ipv6-addrgen off"] : []),
    ...silences(bridge).map(({ key, value }) => `post-up sysctl -w ${key}=${value}`),
    `#${mark}${comment === "" ? "" : `: ${printable(comment)}`}`,
  ];
}

const ownKeys = new Set([
  "address",
  "netmask",
  "broadcast",
  "network",
  "gateway",
  "pointopoint",
  "bridge-ports",
  "bridge-stp",
  "bridge-fd",
  "bridge-ports-condone-regex",
  "ipv6-addrgen",
]);

/** Options of a bridge's stanza that the fleet speaks for; others (mtu, VLANs, an operator's post-up) stay. */
function isOwn(name: string, { key, value }: Option): boolean {
  // Its presence means yes to Proxmox, whatever the value: `no` would turn VLAN awareness on at the next edit.
  if (key === "bridge-vlan-aware") return /^(?:no|off|0)$/i.test(value);
  if (key === "post-up" || key === "up") {
    return ["accept_ra", "disable_ipv6"].some((what) =>
      value.startsWith(`sysctl -w net.ipv6.conf.${name.replaceAll(".", "/")}.${what}=`),
    );
  }
  return ownKeys.has(key);
}

/** Known to Proxmox as a key of its own, which it writes before the ones it only keeps. */
function isEarly({ key }: Option): boolean {
  return key === "mtu" || key === "bridge-vlan-aware" || key === "bridge-vids";
}

/**
 * `text` with the fleet's bridges and their ports as they should be; every other byte stays. A stanza `inet6` of a
 * bridge stays too unless the bridge is to be silent. Stanzas that carry our mark and are no longer wanted go.
 */
export function withBridges(text: string | undefined, desired: HypervisorDesired): string {
  const names = new Set(desired.bridges.map(({ name }) => name));
  let pieces = readPieces(text ?? bareFile);
  for (const name of ownedNames(pieces)) if (!names.has(name)) pieces = without(pieces, name);
  for (const { port } of desired.bridges) if (port !== undefined) pieces = withPort(pieces, port);
  for (const bridge of desired.bridges) pieces = withBridge(pieces, bridge);
  return writePieces(pieces);
}

function ownedNames(pieces: readonly Piece[]): readonly string[] {
  const owned = pieces.filter((piece) => piece.kind === "iface" && piece.comments.some(isMark));
  return [...new Set(owned.map((piece) => (piece.kind === "iface" ? piece.name : "")))];
}

function isMark(comment: string): boolean {
  return comment === mark || comment.startsWith(`${mark}: `);
}

/** The blank line behind a stanza goes with it. */
function without(pieces: readonly Piece[], name: string): readonly Piece[] {
  return pieces.flatMap((piece, place): readonly Piece[] => {
    const before = pieces[place - 1];
    if (piece.kind === "iface" && piece.name === name) return [];
    if (before?.kind === "iface" && before.name === name && piece.text.trim() === "") return [];
    if (piece.kind !== "auto" || !piece.names.includes(name)) return [piece];
    const rest = piece.names.filter((each) => each !== name);
    return rest.length === 0 ? [] : [{ ...piece, names: rest, text: `auto ${rest.join(" ")}\n` }];
  });
}

function isMain(piece: Piece, name: string): piece is Iface {
  return piece.kind === "iface" && piece.name === name && piece.family !== "inet6";
}

function withPort(pieces: readonly Piece[], port: string): readonly Piece[] {
  const found = pieces.filter((piece) => isMain(piece, port));
  if (found.length === 0) return added(pieces, `iface ${port} inet manual\n`);
  if (found.every((piece) => isPortStanza(piece))) return pieces;
  let first = true;
  return pieces.flatMap((piece): readonly Piece[] => {
    if (!isMain(piece, port)) return [piece];
    if (!first) return [];
    first = false;
    // A port has no address of its own; what else is said of it (mtu, ethtool) stays.
    const kept = piece.options.filter(({ key }) => !ownKeys.has(key)).map(({ text }) => text);
    const comments = piece.comments.map((comment) => `#${comment}\n`);
    return [{ kind: "other", text: [`iface ${port} inet manual\n`, ...kept, ...comments].join("") }];
  });
}

/** An address on a port would not work: what arrives belongs to the bridge. */
function isPortStanza({ method, options }: Iface): boolean {
  return (method === "manual" || method === "") && !options.some(({ key }) => key === "address" || key === "gateway");
}

function withBridge(pieces: readonly Piece[], bridge: BridgeDesired): readonly Piece[] {
  const { name, silent } = bridge;
  const mine = pieces.filter((piece) => isMain(piece, name));
  const auto = pieces.some((piece) => piece.kind === "auto" && piece.names.includes(name));
  const foreign = mine.flatMap(({ options }) => options.filter((option) => !isOwn(name, option)));
  const comments = mine.flatMap((piece) => piece.comments.filter((comment) => !isMark(comment)));
  const text = stanzaText(bridge, auto, foreign, comments);
  const kept = silent
    ? pieces.filter((piece) => piece.kind !== "iface" || piece.name !== name || piece.family !== "inet6")
    : pieces;
  if (mine.length === 0) return added(kept, text);
  let first = true;
  return kept.flatMap((piece): readonly Piece[] => {
    if (!isMain(piece, name)) return [piece];
    if (!first) return [];
    first = false;
    return [{ kind: "other", text }];
  });
}

function stanzaText(
  bridge: BridgeDesired,
  auto: boolean,
  foreign: readonly Option[],
  comments: readonly string[],
): string {
  const [autoLine = "", head = "", ...lines] = stanzaLines(bridge);
  const early = foreign.filter(isEarly);
  const late = foreign.filter((option) => !isEarly(option));
  const known = lines.findIndex((line) => line === "bridge-fd 0") + 1;
  const line = (option: Option): string => (option.text.endsWith("\n") ? option.text : `${option.text}\n`);
  return [
    ...(auto ? [] : [`${autoLine}\n`]),
    `${head}\n`,
    ...lines.slice(0, known).map((each) => `\t${each}\n`),
    ...early.map(line),
    ...lines.slice(known, -1).map((each) => `\t${each}\n`),
    ...late.map(line),
    `${lines.at(-1) ?? ""}\n`,
    ...comments.map((comment) => `#${comment}\n`),
  ].join("");
}

/** Behind the last stanza, so that a `source` at the end stays at the end. */
function added(pieces: readonly Piece[], text: string): readonly Piece[] {
  const last = pieces.findLastIndex(
    (piece) => piece.kind === "iface" || (piece.kind === "other" && /^\s*(?:auto|iface) /.test(piece.text)),
  );
  const before = pieces.slice(0, last + 1);
  const after = pieces.slice(last + 1);
  const open = writePieces(before);
  const gap = open === "" || open.endsWith("\n\n") ? "" : open.endsWith("\n") ? "\n" : "\n\n";
  const end = after.length === 0 || after[0]?.text.trim() !== "" ? "\n" : "";
  return [...before, { kind: "other", text: `${gap}${text}${end}` }, ...after];
}

/** The items that a file's text shows: stanzas of the fleet's bridges, of their ports, and what carries our mark. */
export function stanzaItems(text: string, desired: HypervisorDesired): readonly Item[] {
  const pieces = readPieces(text);
  const names = new Set([...desired.bridges.map(({ name }) => name), ...ownedNames(pieces)]);
  const ports = new Set(desired.bridges.flatMap(({ port }) => (port === undefined ? [] : [port])));
  return [
    ...[...names].flatMap((name) =>
      observedStanza(pieces, name, desired.bridges.find((bridge) => bridge.name === name)?.silent ?? false),
    ),
    ...[...ports].flatMap((port) => observedPort(pieces, port)),
  ];
}

function observedPort(pieces: readonly Piece[], port: string): readonly Item[] {
  const found = pieces.filter((piece) => isMain(piece, port));
  if (found.length === 0) return [];
  return [
    structure(
      stanzaKey(port),
      found.every((piece) => isPortStanza(piece)) ? "manual" : found.map(({ text }) => text).join(""),
    ),
  ];
}

/** The lines in the order that `stanzaLines` has, foreign options left out, so that equal means nothing to do. */
function observedStanza(pieces: readonly Piece[], name: string, silent: boolean): readonly Item[] {
  const found = pieces
    .filter((piece) => piece.kind === "iface")
    .filter((piece) => piece.name === name && (isMain(piece, name) || silent));
  if (found.length === 0) return [];
  const auto = pieces.some((piece) => piece.kind === "auto" && piece.names.includes(name));
  const lines = found.flatMap((piece) => [
    `iface ${name} ${piece.family} ${piece.method}`.trimEnd(),
    ...piece.options.filter((option) => isOwn(name, option)).map(({ key, value }) => `${key} ${value}`.trim()),
    ...piece.comments.filter(isMark).map((comment) => `#${comment}`),
  ]);
  return [structure(stanzaKey(name), [...(auto ? [`auto ${name}`] : []), ...lines])];
}
