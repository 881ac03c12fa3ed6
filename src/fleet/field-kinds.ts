import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { type Read, wrong } from "../base/wrong.ts";
import { type Address, parseAddress, toBits } from "../net/address.ts";
import { linkOf, parseInterfaceAddress } from "../net/interface-address.ts";
import {
  type Address4,
  type InterfaceAddress4,
  type Prefix4,
  parseAddress4,
  parseInterfaceAddress4,
  parsePrefix4,
  prefix4Of,
} from "../net/ipv4.ts";
import { type Mac, parseMac } from "../net/mac.ts";
import { parsePortRange } from "../net/port.ts";
import { type Prefix, parsePrefix, prefixOf } from "../net/prefix.ts";
import { isTransport, transports } from "../net/transport.ts";
import type { Service } from "../openings/opening.ts";
import { type Field, field, kindOf, textField } from "./field.ts";
import type { Reach } from "./fleet.ts";

// One reader per kind of value: text in, canonical value or the reason out.

export function readPrefix(text: string): Read<Prefix> {
  const parsed = parsePrefix(text);
  if (parsed !== undefined) return { value: parsed };
  const link = parseInterfaceAddress(text);
  if (link !== undefined)
    return wrong("E115", `Prefix has bits set beyond its length: ${quote(text)}`, `write ${linkOf(link)}`);
  return wrong("E114", `Not an IPv6 prefix: ${quote(text)}`, prefixFix(text));
}

/** `30:1/76` was meant to be `30::1/76`: too few groups and no `::`. */
function prefixFix(text: string): string {
  const slash = text.indexOf("/");
  if (slash < 0 && parseAddress(text) !== undefined) return `write the length too, for example ${text}/64`;
  const colon = text.lastIndexOf(":");
  const spread = parseInterfaceAddress(`${text.slice(0, colon)}:${text.slice(colon)}`);
  return spread === undefined || text.includes("::")
    ? "write address/length, for example 2001:db8::/64"
    : `a :: is missing: did you mean ${spread}?`;
}

export function readAddress(text: string): Read<Address> {
  const parsed = parseAddress(text);
  return parsed === undefined
    ? wrong(
        "E116",
        `Not an IPv6 address: ${quote(text)}`,
        "write one address without length and zone, for example fe80::1",
      )
    : { value: parsed };
}

function readPrefix4(text: string): Read<Prefix4> {
  const parsed = parsePrefix4(text);
  if (parsed !== undefined) return { value: parsed };
  const link = parseInterfaceAddress4(text);
  return link === undefined
    ? wrong("E117", `Not an IPv4 prefix: ${quote(text)}`, "write address/length, for example 10.10.10.0/24")
    : wrong("E115", `Prefix has bits set beyond its length: ${quote(text)}`, `write ${prefix4Of(link)}`);
}

function readInterfaceAddress4(text: string): Read<InterfaceAddress4> {
  const parsed = parseInterfaceAddress4(text);
  return parsed === undefined
    ? wrong(
        "E117",
        `Not an IPv4 address with a length: ${quote(text)}`,
        "write address/length, for example 10.10.10.2/24",
      )
    : { value: parsed };
}

function readAddress4(text: string): Read<Address4> {
  const parsed = parseAddress4(text);
  return parsed === undefined
    ? wrong("E117", `Not an IPv4 address: ${quote(text)}`, "write one address without a length, for example 10.10.10.1")
    : { value: parsed };
}

function readMac(text: string): Read<Mac> {
  const parsed = parseMac(text);
  return parsed === undefined
    ? wrong(
        "E118",
        `Not a MAC address: ${quote(text)}`,
        'write six pairs of hex digits, for example "00:50:56:00:ab:cd"',
      )
    : { value: parsed };
}

/** 80, `443/udp`, `8000-8099/tcp`, `ping`. tcp unless said. */
export function readService(found: unknown): Read<Service> {
  if (found === "ping") return { value: { kind: "ping" } };
  if (typeof found !== "string" && typeof found !== "number") return notService(kindOf(found));
  const text = String(found);
  const slash = text.indexOf("/");
  const transport = slash < 0 ? "tcp" : text.slice(slash + 1);
  if (!isTransport(transport)) {
    return wrong(
      "E119",
      `Not a transport: ${quote(transport)}${didYouMean(transport, transports)}`,
      `use one of ${transports.join(", ")}`,
    );
  }
  const ports = parsePortRange(slash < 0 ? text : text.slice(0, slash));
  return ports === undefined ? notService(quote(text)) : { value: { kind: "ports", transport, ports } };
}

function notService(found: string): Read<Service> {
  return wrong("E119", `Not a port, range or ping: ${found}`, "write 1 to 65535, as 80, 443/udp, 8000-8099 or ping");
}

function readLength(found: unknown): Read<number> {
  const match = typeof found === "string" ? /^\/([1-9][0-9]{0,2})$/.exec(found) : null;
  const length = Number(match?.[1] ?? 129);
  const meant = typeof found === "number" ? `/${found}` : "for example /76";
  return length <= 128
    ? { value: length }
    : wrong("E120", `Not a prefix length: ${kindOf(found)}`, `write it with its slash, ${meant}`);
}

function readEngine(found: unknown): Read<{ major: number; minor: number }> {
  if (typeof found === "number")
    return wrong("E121", "Version without quotes is read as a number", 'write it in quotes, for example "20.10"');
  const match = typeof found === "string" ? /^([0-9]{1,3})\.([0-9]{1,3})(?:\.[0-9]{1,3})?$/.exec(found) : null;
  return match === null
    ? wrong("E121", `Not a Docker version: ${kindOf(found)}`, 'write major.minor in quotes, for example "28.5"')
    : { value: { major: Number(match[1]), minor: Number(match[2]) } };
}

/** No longer than the kernel takes (15 characters), and nothing that a shell or nft could misread. */
function readDevice(text: string): Read<string> {
  return /^[A-Za-z][A-Za-z0-9_.-]{0,14}$/.test(text)
    ? { value: text }
    : wrong(
        "E122",
        `Not an interface name: ${quote(text)}`,
        "use the kernel's name: a letter, then letters, digits, _ . -, 15 at most",
      );
}

/** `ssh` takes the target as one word; it may not begin with a dash. */
function readReach(text: string): Read<Reach> {
  if (text === "none" || text === "local") return { value: { kind: text } };
  const target = /^ssh:([A-Za-z0-9_][A-Za-z0-9_.@:[\]-]*)$/.exec(text)?.[1];
  return target === undefined
    ? wrong("E123", `Not a way to reach a device: ${quote(text)}`, "write none, local, or ssh:user@host")
    : { value: { kind: "ssh", target } };
}

/** What a slot was written as. Its bounds are checked with the plan's lengths. */
function readSlot(found: unknown): Read<number> {
  if (typeof found === "number" && Number.isSafeInteger(found) && found >= 0) return { value: found };
  return wrong("E220", `Slot is no decimal number: ${kindOf(found)}`, slotFix(found));
}

function slotFix(found: unknown): string {
  const hex =
    typeof found === "string" ? /^(?:0x)?([0-9a-f]{1,4})(?:::?(?:\/76)?|\/76)?$/i.exec(found)?.[1] : undefined;
  const block = hex === undefined ? 1 : Number.parseInt(hex, 16);
  return block % 16 === 0 && block > 16
    ? `write the host's number in decimal: the /76 block ${block.toString(16)}:: of a /64 is slot ${block / 16}`
    : "write the host's number in decimal, 2 or more: slot 2 is block 20::/76 of a /64";
}

/** The part of an address behind its network, as an offset: `::80` is 0x80. */
function readSuffix(text: string): Read<bigint> {
  const parsed = parseAddress(text);
  return parsed === undefined
    ? wrong(
        "E116",
        `Not an address within the network: ${quote(text)}`,
        'write what stands behind the network, for example "::80"',
      )
    : { value: toBits(parsed) };
}

/** IPv6 prefix or one address, which counts as its /128. */
export function readSource(text: string): Read<Prefix> {
  const single = parseAddress(text);
  if (single !== undefined) return { value: prefixOf(single, 128) };
  if (parsePrefix4(text) !== undefined || parseAddress4(text) !== undefined) {
    return wrong("E225", `Source is not IPv6: ${quote(text)}`, "openings are for IPv6: name IPv6 sources, or any");
  }
  return readPrefix(text);
}

function readAdmin(text: string): Read<Prefix | Prefix4> {
  if (parseAddress4(text) !== undefined) return readPrefix4(`${text}/32`);
  return /^[0-9.]+\/[0-9]+$/.test(text) ? readPrefix4(text) : readSource(text);
}

/** Absolute, since a relative one would depend on where the verb is called. One line that every file system can have. */
function readPath(text: string): Read<string> {
  return /^\/\P{Cc}{1,4000}$/u.test(text)
    ? { value: text }
    : wrong("E126", `Not an absolute path: ${quote(text)}`, "write it from the root, for example /run/sixgate/prefix");
}

export const pathField: Field<string> = textField(readPath, { pattern: "^/." });
export const prefixField: Field<Prefix> = textField(readPrefix, { pattern: "^[0-9A-Fa-f:.]+/[0-9]{1,3}$" });
export const prefix4Field: Field<Prefix4> = textField(readPrefix4, { pattern: "^[0-9.]+/[0-9]{1,2}$" });
export const interfaceAddress4Field: Field<InterfaceAddress4> = textField(readInterfaceAddress4, {
  pattern: "^[0-9.]+/[0-9]{1,2}$",
});
export const address4Field: Field<Address4> = textField(readAddress4, { pattern: "^[0-9.]+$" });
export const macField: Field<Mac> = textField(readMac, { pattern: "^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$" });
export const serviceField: Field<Service> = field(readService, {
  anyOf: [
    { type: "integer", minimum: 1, maximum: 65_535 },
    { type: "string", pattern: "^(ping|[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?(/(tcp|udp|sctp))?)$" },
  ],
});
export const lengthField: Field<number> = field(readLength, { type: "string", pattern: "^/[1-9][0-9]{0,2}$" });
export const engineField: Field<{ major: number; minor: number }> = field(readEngine, {
  type: "string",
  pattern: "^[0-9]{1,3}\\.[0-9]{1,3}(\\.[0-9]{1,3})?$",
});
export const deviceField: Field<string> = textField(readDevice, { pattern: "^[A-Za-z][A-Za-z0-9_.-]{0,14}$" });
export const reachField: Field<Reach> = textField(readReach, { pattern: "^(none|local|ssh:.+)$" });
export const slotField: Field<number> = field(readSlot, { type: "integer", minimum: 2 });
export const suffixField: Field<bigint> = textField(readSuffix, { pattern: "^[0-9A-Fa-f:.]+$" });
export const sourceField: Field<Prefix> = textField(readSource, { pattern: "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$" });
export const adminField: Field<Prefix | Prefix4> = textField(readAdmin, { pattern: "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$" });
