import type { GatewayDesired } from "../../desired/desired.ts";
import type { LinkDesired } from "../../desired/network.ts";
import type { RenderedFile } from "../driver.ts";
import { canonicalAddress, canonicalPrefix } from "../pf/canonical.ts";
import { networkOf } from "../pf/items.ts";
import { isMarked } from "../pf/names.ts";
import {
  type ConfigElement,
  type ConfigFile,
  child,
  childrenOf,
  type Edit,
  readConfig,
  splice,
  textOf,
} from "../pf/xml.ts";
import { branch, formatWritten, leaf, listEdits, prose, setText, type Written } from "../pf/xml-write.ts";
import {
  type ConfigSections,
  type Existing,
  gatewayNameOf,
  interfaceChildren,
  nothing,
  sectionsOf,
  usualIds,
} from "./config.ts";

/** The version of the configuration's format that this is written for: pfSense 2.8.1 knows 24.0, later ones convert. */
const formatVersion = "24.0";

/**
 * The sections of config.xml that a fleet means, for "Restore area" of Diagnostics > Backup & Restore, or to be laid into
 * a whole configuration with {@link renderInto}. Not a whole one itself: users, certificates and the web server's settings
 * are the device's own.
 */
export function render(desired: GatewayDesired): readonly RenderedFile[] {
  const ids = usualIds(desired);
  const sections = sectionsOf(desired, ids);
  const { links, management, routes } = networkOf(desired);
  const kept = management === undefined ? [] : [withoutMac(management)];
  const all = [...links.slice(0, 1), ...kept, ...links.slice(1)];
  const interfaces = all.map((link) =>
    branch(
      ids.get(link.name) ?? link.name,
      prose("descr", labelOf(link.name, desired)),
      ...interfaceChildren(link, routes),
    ),
  );
  const text = formatWritten(
    branch(
      "pfsense",
      leaf("version", formatVersion),
      branch(
        "system",
        // Timers of RFC 6092: UDP for 150 s at least, where pf's own are 30 s.
        leaf("optimization", "conservative"),
        leaf("hostname", desired.device),
        leaf("ipv6allow"),
        leaf("maximumtableentries", "400000"),
      ),
      branch("interfaces", ...interfaces),
      ...listSections(desired, sections),
    ),
    "\t",
    0,
  );
  return [{ path: "/conf/config.xml", text: `<?xml version="1.0"?>\n${text}` }];
}

/** The management interface keeps the MAC of its NIC. */
function withoutMac({ name, addresses, addresses4, proxies, purpose }: LinkDesired): LinkDesired {
  return { name, addresses, addresses4, proxies, purpose };
}

function labelOf(name: string, { uplink, inside }: GatewayDesired): string {
  return name === uplink ? "UPLINK" : name === inside ? "HOSTS" : "LAN";
}

function listSections(desired: GatewayDesired, sections: ConfigSections): readonly Written[] {
  return [
    branch("gateways", ...defaultsOf(desired, nothing), ...sections.gateways),
    branch("staticroutes", ...sections.routes),
    branch("virtualip", ...sections.vips),
    branch("aliases", ...sections.aliases),
    branch(
      "nat",
      branch("outbound", leaf("mode", desired.nat4 === undefined ? "automatic" : "hybrid"), ...sections.mappings),
    ),
    branch("filter", ...sections.rules),
    branch("sysctl", ...sections.tunables),
  ];
}

function defaultsOf(desired: GatewayDesired, existing: Existing): readonly Written[] {
  return networkOf(desired).routes.flatMap((route) => {
    if (route.kind === "unreachable") return [];
    if (route.to === "0.0.0.0/0") return [leaf("defaultgw4", gatewayNameOf(route, existing))];
    return route.to === "::/0" ? [leaf("defaultgw6", gatewayNameOf(route, existing))] : [];
  });
}

/**
 * A whole configuration with the fleet's objects in it: what carries our mark is replaced, the two interfaces get their
 * addresses, every other byte stays. Throws an Error that says what is missing: the file is no pfSense configuration, or
 * it has no interface on a device that the fleet names.
 */
export function renderInto(text: string, desired: GatewayDesired): string {
  const file = readConfig(text);
  const { root } = file;
  if (root.name !== "pfsense") throw new Error(`its root is <${root.name}>, not <pfsense>`);
  const interfaces = child(root, "interfaces");
  const ids = new Map((interfaces?.children ?? []).map((each) => [textOf(each, "if") ?? "", each.name]));
  for (const { name } of networkOf(desired).links)
    if (!ids.has(name)) throw new Error(`it has no interface on ${name}`);
  const existing = existingIn(root, ids);
  const sections = sectionsOf(desired, ids, existing);
  const edits = [
    ...interfaceEdits(file, interfaces, desired, existing),
    ...sectionEdits(file, ["gateways"], sections.gateways, "gateway_item", defaultsOf(desired, existing)),
    ...sectionEdits(file, ["staticroutes"], sections.routes, "route"),
    ...sectionEdits(file, ["virtualip"], sections.vips, "vip"),
    ...sectionEdits(file, ["aliases"], sections.aliases, "alias"),
    ...sectionEdits(file, ["nat", "outbound"], sections.mappings, "rule", natMode(root, desired)),
    ...sectionEdits(file, ["filter"], sections.rules, "rule"),
    ...sectionEdits(file, ["sysctl"], sections.tunables, "item"),
  ];
  return splice(file, edits);
}

const indent = "\t";

/** What others made that is just what we would make: it stays theirs. */
function existingIn(root: ConfigElement, ids: ReadonlyMap<string, string>): Existing {
  const theirs = (section: string, name: string): readonly ConfigElement[] =>
    childrenOf(child(root, section), name).filter((each) => !isMarked(textOf(each, "descr") ?? ""));
  const devices = new Map([...ids].map(([device, id]) => [id, device]));
  return {
    gateways: new Map(
      theirs("gateways", "gateway_item").map((each) => [
        `${devices.get(textOf(each, "interface") ?? "") ?? ""} ${canonicalAddress(textOf(each, "gateway") ?? "")}`,
        textOf(each, "name") ?? "",
      ]),
    ),
    addresses: new Set(
      theirs("virtualip", "vip").map(
        (each) => `${canonicalAddress(textOf(each, "subnet") ?? "")}/${textOf(each, "subnet_bits")}`,
      ),
    ),
    routes: new Set(theirs("staticroutes", "route").map((each) => canonicalPrefix(textOf(each, "network") ?? ""))),
  };
}

function interfaceEdits(
  file: ConfigFile,
  interfaces: ConfigElement | undefined,
  desired: GatewayDesired,
  existing: Existing,
): readonly Edit[] {
  const { links, routes } = networkOf(desired);
  return links.flatMap((link) => {
    const element = interfaces?.children.find((each) => textOf(each, "if") === link.name);
    if (element === undefined) return [];
    return interfaceChildren(link, routes, existing).flatMap((written) =>
      setText(file, element, written, { indent, level: 2 }),
    );
  });
}

/** Mappings work in both modes of people who write their own. */
function natMode(root: ConfigElement, { nat4 }: GatewayDesired): readonly Written[] {
  const mode = textOf(root, "nat", "outbound", "mode");
  return nat4 === undefined || mode === "hybrid" || mode === "advanced" ? [] : [leaf("mode", "hybrid")];
}

/** Edits of a section: the texts that stand once, then the list. A section that is missing is made at the end. */
function sectionEdits(
  file: ConfigFile,
  path: readonly string[],
  written: readonly Written[],
  name: string,
  once: readonly Written[] = [],
): readonly Edit[] {
  const section = child(file.root, ...path);
  if (section === undefined) {
    if (written.length + once.length === 0) return [];
    // Inside as much of the way as there is.
    const there = path.filter((_, i) => child(file.root, ...path.slice(0, i + 1)) !== undefined).length;
    const [last = "", ...above] = path.slice(there).toReversed();
    const made = above.reduce<Written>((inner, each) => branch(each, inner), branch(last, ...once, ...written));
    const holder = child(file.root, ...path.slice(0, there)) ?? file.root;
    return listEdits(file, holder, () => false, [made], { indent, level: there });
  }
  const ours = (each: ConfigElement): boolean => each.name === name && isMarked(textOf(each, "descr") ?? "");
  const missing = once.filter((each) => childrenOf(section, each.name).length === 0);
  const there = once.filter((each) => childrenOf(section, each.name).length > 0);
  return [
    ...there.flatMap((each) => setText(file, section, each, { indent, level: path.length })),
    ...listEdits(file, section, ours, [...missing, ...written], { indent, level: path.length }),
  ];
}
