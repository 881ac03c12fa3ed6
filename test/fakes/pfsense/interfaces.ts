import type { Config } from "./config.ts";
import { type Body, Refused, type Shown } from "./models.ts";

// Interfaces of pfREST v2.10: a map by id, where the other objects are lists.

const conditional = [
  "dhcphostname",
  "alias_address",
  "alias_subnet",
  "dhcprejectfrom",
  "adv_dhcp_config_advanced",
  "adv_dhcp_pt_values",
  "adv_dhcp_pt_timeout",
  "adv_dhcp_pt_retry",
  "adv_dhcp_pt_select_timeout",
  "adv_dhcp_pt_reboot",
  "adv_dhcp_pt_backoff_cutoff",
  "adv_dhcp_pt_initial_interval",
  "adv_dhcp_send_options",
  "adv_dhcp_request_options",
  "adv_dhcp_required_options",
  "adv_dhcp_option_modifiers",
  "adv_dhcp_config_file_override",
  "adv_dhcp_config_file_override_path",
] as const;

export function showInterface(config: Config, id: string): Shown {
  const row = config.interfaces[id] ?? {};
  const typev4 =
    row["ipaddr"] === undefined || row["ipaddr"] === "" ? "none" : row["ipaddr"] === "dhcp" ? "dhcp" : "static";
  const six = row["ipaddrv6"];
  const typev6 = six === undefined || six === "" ? "none" : /^[0-9a-f:]+$/.test(six) ? "staticv6" : six;
  const text = (name: string): string | null => row[name] ?? null;
  const number = (name: string): number | null =>
    row[name] === undefined || row[name] === "" ? null : Number(row[name]);
  const isStatic = typev6 === "staticv6";
  return {
    id,
    if: row["if"],
    enable: row["enable"] !== undefined,
    descr: row["descr"] === undefined || row["descr"] === "" ? id.toUpperCase() : row["descr"],
    spoofmac: text("spoofmac"),
    mtu: number("mtu"),
    mss: number("mss"),
    media: text("media"),
    mediaopt: text("mediaopt"),
    blockpriv: row["blockpriv"] !== undefined,
    blockbogons: row["blockbogons"] !== undefined,
    typev4,
    ipaddr: typev4 === "static" ? text("ipaddr") : null,
    subnet: typev4 === "static" ? number("subnet") : null,
    gateway: typev4 === "static" ? text("gateway") : null,
    ...Object.fromEntries(conditional.map((name) => [name, null])),
    typev6,
    ipaddrv6: isStatic ? six : null,
    subnetv6: isStatic ? number("subnetv6") : null,
    gatewayv6: isStatic ? text("gatewayv6") : null,
    // Stored as nothing when false: shown as false only where the package wrote the interface itself.
    ipv6usev4iface: isStatic && row["media"] !== undefined ? false : null,
    slaacusev4iface: null,
    prefix_6rd: null,
    gateway_6rd: null,
    prefix_6rd_v4plen: null,
    track6_interface: null,
    track6_prefix_id_hex: null,
  };
}

/** The element as the package writes it: whole, so keys that it does not know are lost. */
export function storeInterface(config: Config, id: string | undefined, body: Body): { [key: string]: string } {
  const all: Shown = { ...(id === undefined ? {} : showInterface(config, id)), ...body };
  const text = (name: string): string => {
    const value = all[name];
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  };
  const descr = text("descr");
  if (["WAN", "LAN"].includes(descr.toUpperCase()))
    throw new Refused(
      400,
      "FILTER_NAME_VALIDATOR_RESERVED_NAME_USED",
      `Field \`descr\` cannot be \`${descr}\` because it is a name reserved by the system.`,
    );
  for (const [other, each] of Object.entries(config.interfaces))
    if (other !== id && each["descr"] === descr)
      throw new Refused(
        400,
        "FIELD_MUST_BE_UNIQUE",
        `Field \`descr\` must be unique. Value is in use by object with ID \`${other}\`.`,
      );
  const isStatic = text("typev6") === "staticv6";
  const six = text("ipaddrv6");
  if (isStatic && six.startsWith("fe80"))
    throw new Refused(
      400,
      "IP_ADDRESS_VALIDATOR_FAILED",
      "Field `ipaddrv6` must be a valid IPv6 address, and not link-local.",
    );
  if (
    isStatic &&
    (config.virtualip.vip.some((vip) => vip["subnet"] === six) ||
      Object.entries(config.interfaces).some(([other, each]) => other !== id && each["ipaddrv6"] === six))
  )
    throw new Refused(
      400,
      "INTERFACE_IPADDRV6_ALREADY_IN_USE",
      `Interface \`ipaddrv6\` cannot use '${six}' because it is currently in use`,
    );
  for (const name of ["gateway", "gatewayv6"]) {
    const wanted = text(name);
    if (wanted !== "" && !config.gateways.gateway_item.some((each) => each["name"] === wanted))
      throw new Refused(
        404,
        "FOREIGN_MODEL_FIELD_VALUE_NOT_FOUND",
        `Field \`${name}\` could not locate \`Routing Gateway\` object with \`name\` set to \`${wanted}\``,
      );
  }
  return {
    ...(all["enable"] === true ? { enable: "" } : {}),
    if: text("if"),
    descr,
    spoofmac: text("spoofmac"),
    ...(text("mtu") === "" ? {} : { mtu: text("mtu") }),
    media: text("media"),
    mediaopt: text("mediaopt"),
    ...(all["blockpriv"] === true ? { blockpriv: "" } : {}),
    ...(all["blockbogons"] === true ? { blockbogons: "" } : {}),
    ...(text("typev4") === "static" ? { ipaddr: text("ipaddr"), subnet: text("subnet") } : {}),
    ...(text("typev4") === "static" && text("gateway") !== "" ? { gateway: text("gateway") } : {}),
    ...(isStatic ? { ipaddrv6: six, subnetv6: text("subnetv6") } : {}),
    ...(isStatic && text("gatewayv6") !== "" ? { gatewayv6: text("gatewayv6") } : {}),
  };
}
