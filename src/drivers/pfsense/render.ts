import type { GatewayDesired } from "../../desired/desired.ts";
import type { LinkDesired } from "../../desired/network.ts";
import type { RenderedFile } from "../driver.ts";
import {
  type Existing,
  existingAmong,
  gatewayNameOf,
  interfaceChildren,
  nothing,
  usualIds,
} from "../pf/config-parts.ts";
import { networkOf } from "../pf/items.ts";
import { interfacesIn, type Section, withInterface, withSection } from "../pf/section.ts";
import { type ConfigElement, child, childrenOf, readConfig, textOf } from "../pf/xml.ts";
import { branch, formatWritten, leaf, prose, type Written } from "../pf/xml-write.ts";
import { type ConfigSections, sectionsOf } from "./config.ts";

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
      ...interfaceChildren(link, routes, ""),
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
  let file = readConfig(text);
  const { root } = file;
  if (root.name !== "pfsense") throw new Error(`its root is <${root.name}>, not <pfsense>`);
  const { links, routes } = networkOf(desired);
  const ids = interfacesIn(
    root,
    links.map(({ name }) => name),
  );
  const existing = existingAmong(
    {
      gateways: childrenOf(child(root, "gateways"), "gateway_item"),
      vips: childrenOf(child(root, "virtualip"), "vip"),
      routes: childrenOf(child(root, "staticroutes"), "route"),
    },
    ids,
  );
  const sections = sectionsOf(desired, ids, existing);
  for (const link of links)
    file = withInterface(file, link.name, interfaceChildren(link, routes, "", existing), indent);
  const all: readonly Section[] = [
    { path: ["gateways"], name: "gateway_item", written: sections.gateways, once: defaultsOf(desired, existing) },
    { path: ["staticroutes"], name: "route", written: sections.routes },
    { path: ["virtualip"], name: "vip", written: sections.vips },
    { path: ["aliases"], name: "alias", written: sections.aliases },
    { path: ["nat", "outbound"], name: "rule", written: sections.mappings, once: natMode(root, desired) },
    { path: ["filter"], name: "rule", written: sections.rules },
    { path: ["sysctl"], name: "item", written: sections.tunables },
  ];
  return all.reduce((made, section) => withSection(made, section, { indent }), file).text;
}

const indent = "\t";

/** Mappings work in both modes of people who write their own. */
function natMode(root: ConfigElement, { nat4 }: GatewayDesired): readonly Written[] {
  const mode = textOf(root, "nat", "outbound", "mode");
  return nat4 === undefined || mode === "hybrid" || mode === "advanced" ? [] : [leaf("mode", "hybrid")];
}
