import type { GatewayDesired } from "../../desired/desired.ts";
import type { RenderedFile } from "../driver.ts";
import { existingAmong, type InterfaceIds, interfaceChildren, usualIds } from "../pf/config-parts.ts";
import { networkOf } from "../pf/items.ts";
import { interfacesIn, withInterface, withSection } from "../pf/section.ts";
import { type ConfigElement, child, childrenOf, readConfig } from "../pf/xml.ts";
import { branch, formatWritten, leaf } from "../pf/xml-write.ts";
import { modelVersions, sectionsOf } from "./config.ts";

const style = { indent: "  ", attributes: modelVersions };

/**
 * The sections of config.xml that a fleet means: the seed for a new device, whose interfaces no API sets, or to be laid
 * into a whole configuration with {@link renderInto}. Not a whole one itself: users, certificates and the web server's
 * settings are the device's own.
 */
export function render(desired: GatewayDesired): readonly RenderedFile[] {
  const ids = usualIds(desired);
  const { links, management, routes } = networkOf(desired);
  // The management interface keeps the MAC of its NIC.
  const kept = management === undefined ? [] : [{ ...management, mac: undefined }];
  const interfaces = [...links.slice(0, 1), ...kept, ...links.slice(1)].map(({ mac, ...link }) =>
    branch(
      ids.get(link.name) ?? link.name,
      leaf("descr", labelOf(link.name, desired)),
      ...interfaceChildren(mac === undefined ? link : { ...link, mac }, routes, "1"),
    ),
  );
  const text = formatWritten(
    branch(
      "opnsense",
      branch(
        "system",
        // Timers of RFC 6092: UDP for 150 s at least, where pf's own are 30 s.
        leaf("optimization", "conservative"),
        leaf("hostname", desired.device),
        leaf("ipv6allow", "1"),
      ),
      branch("interfaces", ...interfaces),
    ),
    style.indent,
    0,
  );
  const sections = sectionsOf(desired, { ids, routeSwitch: "enabled" });
  const file = sections.reduce((made, section) => withSection(made, section, style), readConfig(text));
  return [{ path: "/conf/config.xml", text: `<?xml version="1.0"?>\n${file.text}` }];
}

function labelOf(name: string, { uplink, inside }: GatewayDesired): string {
  return name === uplink ? "UPLINK" : name === inside ? "HOSTS" : "LAN";
}

/**
 * A whole configuration with the fleet's objects in it: what carries our mark is replaced, the two interfaces get their
 * addresses, every other byte stays. Throws an Error that says what is missing: the file is no OPNsense configuration,
 * or it has no interface on a device that the fleet names.
 */
export function renderInto(text: string, desired: GatewayDesired): string {
  let file = readConfig(text);
  const { root } = file;
  if (root.name !== "opnsense") throw new Error(`its root is <${root.name}>, not <opnsense>`);
  const { links, routes } = networkOf(desired);
  const ids: InterfaceIds = interfacesIn(
    root,
    links.map(({ name }) => name),
  );
  const existing = existingAmong(
    {
      gateways: [
        ...childrenOf(child(root, "OPNsense", "Gateways"), "gateway_item"),
        ...childrenOf(child(root, "gateways"), "gateway_item"),
      ],
      vips: childrenOf(child(root, "virtualip"), "vip"),
      routes: childrenOf(child(root, "staticroutes"), "route"),
    },
    ids,
  );
  for (const link of links)
    file = withInterface(file, link.name, interfaceChildren(link, routes, "1", existing), style.indent);
  const sections = sectionsOf(desired, { ids, existing, routeSwitch: routeSwitchOf(root) });
  return sections.reduce((made, section) => withSection(made, section, style), file).text;
}

/** Until 26.1 routes are switched off by `disabled`; the model that has `enabled` is version 1.0.1. */
function routeSwitchOf(root: ConfigElement): "enabled" | "disabled" {
  const section = child(root, "staticroutes");
  return section === undefined || (section.attributes["version"] ?? "") >= "1.0.1" ? "enabled" : "disabled";
}
