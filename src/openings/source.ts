import { isName } from "../base/name.ts";
import { quote } from "../base/quote.ts";
import { type Read, wrong } from "../base/wrong.ts";
import { type Address, parseAddress } from "../net/address.ts";
import { linkOf, parseInterfaceAddress } from "../net/interface-address.ts";
import { parseAddress4, parsePrefix4 } from "../net/ipv4.ts";
import { lengthOf, type Prefix, parsePrefix, prefix, prefixOf } from "../net/prefix.ts";
import { isNeverASource } from "../net/special.ts";

/** Who may come in, as a label says it. Groups and containers are looked up when it is decided. */
export type Source =
  | { readonly kind: "prefix"; readonly prefix: Prefix }
  /** A group of the fleet file. */
  | { readonly kind: "group"; readonly name: string }
  /** Containers by their name, or by the Compose project that they are of; on one host where `host` names it. */
  | { readonly kind: "containers"; readonly name: string; readonly host?: string };

/** All of IPv6: the word `any`. */
export const anywhere: Prefix = prefix("::/0");

/**
 * `source = "any" / address / prefix / "@" group / "%" [host "/"] (container / project)`. An address is its /128.
 * E906 for anything else, and for prefixes that no packet from the Internet comes from.
 */
export function readSource(word: string): Read<Source> {
  if (word === "any") return { value: { kind: "prefix", prefix: anywhere } };
  if (word.startsWith("@")) return readGroup(word);
  if (word.startsWith("%")) return readContainers(word);
  const address = parseAddress(word);
  const found = address === undefined ? parsePrefix(word) : prefixOf(address, 128);
  if (found === undefined) return notSource(word);
  if (isNeverASource(found))
    return wrong(
      "E906",
      `No packet from the Internet comes from ${formatPrefix(found)}`,
      "take it out, or name the public prefix",
    );
  return { value: { kind: "prefix", prefix: found } };
}

/** As it is written: `any`, `2001:db8::1`, `2001:db8::/32`, `@office`, `%vm1/web`. */
export function formatSource(source: Source): string {
  if (source.kind === "group") return `@${source.name}`;
  if (source.kind === "containers") return `%${source.host === undefined ? "" : `${source.host}/`}${source.name}`;
  return formatPrefix(source.prefix);
}

/** `any` for everything, an address for a /128, else the prefix. */
export function formatPrefix(p: Prefix): string {
  if (p === anywhere) return "any";
  return lengthOf(p) === 128 ? (p.slice(0, -4) as Address) : p;
}

function readGroup(word: string): Read<Source> {
  const name = word.slice(1);
  return isName(name)
    ? { value: { kind: "group", name } }
    : wrong(
        "E906",
        `Not a name of a group: ${quote(word)}`,
        "write @ and a key of the fleet file's groups, as @office",
      );
}

/** Names that Docker gives or takes, and Compose's for projects. */
const containerName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

function readContainers(word: string): Read<Source> {
  const slash = word.indexOf("/");
  const [host, name] = slash < 0 ? [undefined, word.slice(1)] : [word.slice(1, slash), word.slice(slash + 1)];
  if (!containerName.test(name) || (host !== undefined && !isName(host)))
    return wrong(
      "E906",
      `Not a name of a container: ${quote(word)}`,
      "write % and a container or Compose project, as %web, or with its host, as %vm1/web",
    );
  return { value: { kind: "containers", name, ...(host === undefined ? {} : { host }) } };
}

function notSource(word: string): Read<Source> {
  const text = `Not a source: ${quote(word)}`;
  if (parsePrefix4(word) !== undefined || parseAddress4(word) !== undefined)
    return wrong("E906", `Source is not IPv6: ${quote(word)}`, "openings are for IPv6: name IPv6 sources, or any");
  const link = parseInterfaceAddress(word);
  if (link !== undefined)
    return wrong("E906", `Prefix has bits set beyond its length: ${quote(word)}`, `write ${linkOf(link)}`);
  if (isName(word))
    return wrong("E906", text, `write any for everybody, @${word} for a group, %${word} for a container`);
  return wrong("E906", text, "write any, an IPv6 address or prefix, @group or %container");
}
