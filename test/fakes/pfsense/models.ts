import { isIP } from "node:net";
import { linkOf, parseInterfaceAddress } from "../../../src/net/interface-address.ts";
import { baseOf, parsePrefix } from "../../../src/net/prefix.ts";
import { type Config, type Fields, mapOf, textOf, words } from "./config.ts";
import { cidr } from "./kernel.ts";

// The models of pfREST v2.10: how an object of the configuration is shown, checked and stored. Only what sixgate uses.

export type Body = { readonly [key: string]: unknown };
export type Shown = { [key: string]: unknown };

/** An answer of the API that is no success. */
export class Refused extends Error {
  readonly code: number;
  readonly id: string;
  constructor(code: number, id: string, message: string) {
    super(message);
    this.code = code;
    this.id = id;
  }
}

export type Context = {
  readonly config: Config;
  readonly now: number;
  readonly user: string;
  readonly hasSix: (id: string) => boolean;
};

export type Model = {
  readonly one: string;
  readonly many: string;
  readonly rows: (config: Config) => Fields[];
  readonly show: (row: Fields, id: number) => Shown;
  /** Checks and stores; `before` with an update. */
  readonly make: (body: Body, context: Context, before?: Fields) => Fields;
  /** Dirty flag that a write sets. */
  readonly subsystem?: string;
};

const text = (row: Fields, name: string): string | null => textOf(row, name) ?? null;
const flag = (row: Fields, name: string): boolean => row[name] !== undefined;
const say = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(say) : []);

function required(body: Body, ...names: readonly string[]): void {
  for (const name of names)
    if (body[name] === undefined) throw new Refused(400, "FIELD_IS_REQUIRED", `Field \`${name}\` is required.`);
}

function choice(body: Body, name: string, choices: readonly string[]): void {
  for (const each of Array.isArray(body[name]) ? list(body[name]) : [body[name]])
    if (each !== undefined && each !== null && !choices.includes(say(each)))
      throw new Refused(400, "FIELD_INVALID_CHOICE", `Field \`${name}\` must be one of [${choices.join(", ")}]`);
}

function unique(rows: readonly Fields[], name: string, internal: string, value: string, before?: Fields): void {
  const at = rows.findIndex((each) => each !== before && textOf(each, internal) === value);
  if (at >= 0)
    throw new Refused(
      400,
      "FIELD_MUST_BE_UNIQUE",
      `Field \`${name}\` must be unique. Value is in use by object with ID \`${at}\`.`,
    );
}

function filterName(name: string, value: string): void {
  if (!/^[A-Za-z0-9_]+$/.test(value))
    throw new Refused(
      400,
      "FILTER_NAME_VALIDATOR_INVALID_CHARACTERS",
      `Field \`${name}\` cannot be \`${value}\` because it contains invalid characters. Only A-Z, a-z, 0-9, and _ are allowed.`,
    );
  if (["wan", "lan", "port", "pass"].includes(value.toLowerCase()))
    throw new Refused(
      400,
      "FILTER_NAME_VALIDATOR_RESERVED_NAME_USED",
      `Field \`${name}\` cannot be \`${value}\` because it is a name reserved by the system.`,
    );
  if (value.length > 31) throw new Refused(400, "FIELD_EXCEEDS_MAX_LENGTH", `Field \`${name}\` is longer than 31.`);
}

function interfaceId(config: Config, value: unknown): string {
  const name = say(value);
  const found = Object.entries(config.interfaces).find(
    ([id, each]) => id === name || each["descr"] === name || each["if"] === name,
  );
  if (found === undefined) throw new Refused(400, "INVALID_INTERFACE", `Interface \`${name}\` does not exist.`);
  return found[0];
}

export const alias: Model = {
  one: "/firewall/alias",
  many: "/firewall/aliases",
  subsystem: "aliases",
  rows: (config) => config.aliases.alias,
  show: (row, id) => ({
    id,
    name: text(row, "name"),
    type: text(row, "type"),
    descr: text(row, "descr"),
    address: words(textOf(row, "address"), " "),
    detail: words(textOf(row, "detail"), "||"),
  }),
  make(body, { config }, before) {
    const type = say(body["type"] ?? textOf(before ?? {}, "type"));
    const name = before === undefined ? say(body["name"]) : (textOf(before, "name") ?? "");
    if (before === undefined) {
      required(body, "name", "type");
      unique(config.aliases.alias, "name", "name", name);
      filterName("name", name);
    }
    choice({ type }, "type", ["host", "network", "port"]);
    const had =
      before === undefined
        ? { address: [], detail: [] }
        : (alias.show(before, 0) as { address: string[]; detail: string[] });
    const address = changed(had.address, body, "address");
    const detail = changed(had.detail, body, "detail");
    for (const each of address) {
      const fine =
        type === "network"
          ? parsePrefix(each) !== undefined || /^[0-9.]+\/\d+$/.test(each)
          : type === "port"
            ? /^\d+(:\d+)?$/.test(each)
            : isIP(each) !== 0;
      const [id, what] =
        type === "network" ? ["INVALID_NETWORK_ALIAS_ADDRESS", "CIDR"] : ["INVALID_HOST_ALIAS_ADDRESS", "IP"];
      if (!fine)
        throw new Refused(
          400,
          id ?? "",
          `${type === "network" ? "Network" : "Host"} alias \`address\` value \`${each}\` is not a valid ${what}, FQDN, or alias.`,
        );
    }
    if (detail.length > address.length)
      throw new Refused(
        400,
        "TOO_MANY_ALIAS_DETAILS",
        "Aliases cannot contain more `detail` items than `address` items.",
      );
    return {
      name,
      type,
      descr: say(body["descr"] ?? textOf(before ?? {}, "descr")),
      address: address.join(" "),
      detail: detail.join("||"),
    };
  },
};

/** Replaces a list; `append` and `remove` do nothing when the list that is sent equals the one that is stored. */
function changed(had: string[], body: Body, name: string): string[] {
  if (body[name] === undefined) return had;
  const sent = list(body[name]);
  const same = sent.join("|") === had.join("|");
  if (body["append"] === true) return same ? had : [...had, ...sent];
  if (body["remove"] === true) return same ? had : had.filter((each) => !sent.includes(each));
  return sent;
}

const icmpTypes =
  "any, althost, dataconv, echorep, echoreq, inforep, inforeq, ipv6-here, ipv6-where, maskrep, maskreq, mobredir, mobregrep, mobregreq, paramprob, photuris, redir, routeradv, routersol, skip, squench, timerep, timereq, timex, trace, unreach".split(
    ", ",
  );

export const rule: Model = {
  one: "/firewall/rule",
  many: "/firewall/rules",
  rows: (config) => config.filter.rule,
  show(row, id) {
    const floating = textOf(row, "floating") === "yes";
    const icmp = textOf(row, "protocol") === "icmp";
    return {
      id,
      type: text(row, "type"),
      interface: words(textOf(row, "interface"), ","),
      ipprotocol: text(row, "ipprotocol"),
      protocol: text(row, "protocol"),
      icmptype: icmp ? words(textOf(row, "icmptype"), ",") : null,
      source: showPlace(mapOf(row, "source")),
      source_port: textOf(mapOf(row, "source"), "port") ?? null,
      destination: showPlace(mapOf(row, "destination")),
      destination_port: textOf(mapOf(row, "destination"), "port")?.replace("-", ":") ?? null,
      descr: text(row, "descr"),
      disabled: flag(row, "disabled"),
      log: flag(row, "log"),
      dscp: null,
      tag: text(row, "tag"),
      statetype: text(row, "statetype"),
      tcp_flags_any: flag(row, "tcpflags_any"),
      tcp_flags_out_of: null,
      tcp_flags_set: null,
      gateway: text(row, "gateway"),
      sched: null,
      dnpipe: null,
      pdnpipe: null,
      defaultqueue: null,
      ackqueue: null,
      floating,
      quick: floating ? textOf(row, "quick") === "yes" : null,
      direction: floating ? text(row, "direction") : null,
      tracker: Number(textOf(row, "tracker")),
      associated_rule_id: null,
      created_time: Number(textOf(mapOf(row, "created"), "time") ?? 0),
      created_by: textOf(mapOf(row, "created"), "username") ?? null,
      updated_time: Number(textOf(mapOf(row, "updated"), "time") ?? 0),
      updated_by: textOf(mapOf(row, "updated"), "username") ?? null,
    };
  },
  make(body, { config, now, user }, before) {
    const all = { ...(before === undefined ? {} : rule.show(before, 0)), ...body };
    required(all, "type", "interface", "ipprotocol", "source", "destination");
    choice(all, "type", ["pass", "block", "reject"]);
    choice(all, "ipprotocol", ["inet", "inet6", "inet46"]);
    choice(all, "protocol", [
      "tcp",
      "udp",
      "tcp/udp",
      "icmp",
      "esp",
      "ah",
      "gre",
      "ipv6",
      "igmp",
      "pim",
      "ospf",
      "carp",
      "pfsync",
    ]);
    const icmp = all["protocol"] === "icmp";
    if (icmp) choice(all, "icmptype", icmpTypes);
    const floating = all["floating"] === true;
    const on = list(all["interface"]).map((each) => interfaceId(config, each));
    if (!floating && on.length > 1)
      throw new Refused(
        400,
        "FIREWALL_RULE_MULTIPLE_INTERFACE_WITHOUT_FLOATING",
        "Field `interface` cannot contain more than one value unless `floating` is enabled.",
      );
    const port = (name: string): Fields => (typeof all[name] === "string" ? { port: all[name].replace(":", "-") } : {});
    const made: Fields = { username: `${before === undefined ? "" : user}@127.0.0.1 (API)`, time: String(now) };
    return {
      id: "",
      tracker: before === undefined ? String(now) : (textOf(before, "tracker") ?? ""),
      type: say(all["type"]),
      interface: on.join(","),
      ipprotocol: say(all["ipprotocol"]),
      tag: say(all["tag"]),
      statetype: say(all["statetype"] ?? "keep state"),
      ...(typeof all["protocol"] === "string" ? { protocol: all["protocol"] } : {}),
      ...(icmp ? { icmptype: (all["icmptype"] === undefined ? ["any"] : list(all["icmptype"])).join(",") } : {}),
      source: { ...storePlace(config, "source", say(all["source"])), ...port("source_port") },
      destination: { ...storePlace(config, "destination", say(all["destination"])), ...port("destination_port") },
      descr: say(all["descr"]),
      ...(all["disabled"] === true ? { disabled: "" } : {}),
      ...(typeof all["gateway"] === "string" ? { gateway: all["gateway"] } : {}),
      ...(floating
        ? { floating: "yes", quick: all["quick"] === true ? "yes" : "", direction: say(all["direction"] ?? "any") }
        : {}),
      created: before === undefined ? made : mapOf(before, "created"),
      updated: { username: `${user}@127.0.0.1 (API)`, time: String(now) },
    };
  },
};

function showPlace(place: Fields): string {
  if (place["any"] !== undefined) return "any";
  const not = place["not"] === undefined ? "" : "!";
  return `${not}${textOf(place, "address") ?? textOf(place, "network") ?? "unknown"}`;
}

function storePlace(config: Config, field: string, value: string): Fields {
  if (value === "any") return { any: "" };
  const bare = value.replace(/^!/, "");
  const not: Fields = value.startsWith("!") ? { not: "" } : {};
  if (bare === "(self)" || Object.hasOwn(config.interfaces, bare)) return { ...not, network: bare };
  const known =
    isIP(bare) !== 0 ||
    parsePrefix(bare) !== undefined ||
    /^[0-9.]+\/\d+$/.test(bare) ||
    config.aliases.alias.some((each) => textOf(each, "name") === bare && textOf(each, "type") !== "port");
  if (!known)
    throw new Refused(400, "FILTER_ADDRESS_FIELD_INVALID", `Field \`${field}\` value \`${bare}\` is invalid.`);
  return { ...not, address: bare };
}

export const vip: Model = {
  one: "/firewall/virtual_ip",
  many: "/firewall/virtual_ips",
  subsystem: "vip",
  rows: (config) => config.virtualip.vip,
  show: (row, id) => ({
    id,
    uniqid: text(row, "uniqid"),
    mode: text(row, "mode"),
    interface: text(row, "interface"),
    type: text(row, "type"),
    subnet: text(row, "subnet"),
    subnet_bits: Number(textOf(row, "subnet_bits")),
    descr: text(row, "descr"),
    noexpand: null,
    vhid: null,
    advbase: null,
    advskew: null,
    carp_status: null,
    carp_mode: null,
    carp_peer: null,
  }),
  make(body, { config }) {
    required(body, "mode", "interface", "subnet", "subnet_bits");
    const subnet = say(body["subnet"]);
    unique(config.virtualip.vip, "subnet", "subnet", subnet);
    for (const each of Object.values(config.interfaces))
      if (each["ipaddr"] === subnet || each["ipaddrv6"] === subnet)
        throw new Refused(
          400,
          "UNIQUE_FROM_FOREIGN_MODEL_VALIDATOR_NOT_UNIQUE",
          `Field \`subnet\` with value \`${subnet}\` is already used by a NetworkInterface.`,
        );
    return {
      mode: say(body["mode"]),
      interface: interfaceId(config, body["interface"]),
      uniqid: nextUniqid(),
      descr: say(body["descr"]),
      type: "single",
      subnet_bits: say(body["subnet_bits"]),
      subnet,
    };
  },
};

let uniqids = 0x6b03bcb3f11a1;
function nextUniqid(): string {
  return (uniqids++).toString(16);
}

export const gateway: Model = {
  one: "/routing/gateway",
  many: "/routing/gateways",
  subsystem: "staticroutes",
  rows: (config) => config.gateways.gateway_item,
  show: (row, id) => ({
    id,
    name: text(row, "name"),
    descr: text(row, "descr"),
    disabled: flag(row, "disabled"),
    ipprotocol: text(row, "ipprotocol"),
    interface: text(row, "interface"),
    gateway: text(row, "gateway"),
    monitor_disable: flag(row, "monitor_disable"),
    monitor: flag(row, "monitor_disable") ? null : text(row, "monitor"),
    action_disable: flag(row, "action_disable"),
    force_down: false,
    dpinger_dont_add_static_route: false,
    gw_down_kill_states: text(row, "gw_down_kill_states"),
    nonlocalgateway: flag(row, "nonlocalgateway"),
    weight: 1,
    data_payload: 1,
    latencylow: 200,
    latencyhigh: 500,
    losslow: 10,
    losshigh: 20,
    interval: 500,
    loss_interval: 2000,
    time_period: 60000,
    alert_interval: 1000,
  }),
  make(body, { config, hasSix }) {
    required(body, "name", "ipprotocol", "interface", "gateway");
    const name = say(body["name"]);
    filterName("name", name);
    unique(config.gateways.gateway_item, "name", "name", name);
    const id = interfaceId(config, body["interface"]);
    if (body["ipprotocol"] === "inet6" && !hasSix(id))
      throw new Refused(
        400,
        "ROUTING_GATEWAY_INTERFACE_HAS_NO_IPV6",
        "Field `interface` must be an interface with an existing IPv6 address when `ipprotocol` is set to `inet6`",
      );
    const twin = config.gateways.gateway_item.findIndex(
      (each) => textOf(each, "interface") === id && textOf(each, "gateway") === body["gateway"],
    );
    if (twin >= 0)
      throw new Refused(
        400,
        "MODEL_FIELDS_NOT_UNIQUE_TOGETHER",
        `Fields [interface, ipprotocol, gateway] together must be unique from all other objects of its kind. Values in use by object with ID \`${twin}\`.`,
      );
    return {
      interface: id,
      gateway: say(body["gateway"]),
      name,
      weight: "1",
      ipprotocol: say(body["ipprotocol"]),
      descr: say(body["descr"]),
      gw_down_kill_states: "",
      ...(body["monitor_disable"] === true ? { monitor_disable: "" } : {}),
      ...(body["action_disable"] === true ? { action_disable: "" } : {}),
      ...(body["nonlocalgateway"] === false ? {} : { nonlocalgateway: "" }),
    };
  },
};

export const route: Model = {
  one: "/routing/static_route",
  many: "/routing/static_routes",
  subsystem: "staticroutes",
  rows: (config) => config.staticroutes.route,
  show: (row, id) => ({
    id,
    network: text(row, "network"),
    gateway: text(row, "gateway"),
    descr: text(row, "descr"),
    disabled: flag(row, "disabled"),
  }),
  make(body, { config }) {
    required(body, "network", "gateway");
    const network = say(body["network"]);
    const name = say(body["gateway"]);
    if (!config.gateways.gateway_item.some((each) => textOf(each, "name") === name))
      throw new Refused(
        404,
        "FOREIGN_MODEL_FIELD_VALUE_NOT_FOUND",
        `Field \`gateway\` could not locate \`Routing Gateway or Routing Gateway Group\` object with \`name\` set to \`${name}\``,
      );
    const parsed = parsePrefix(network);
    // Only the first addresses are compared, not the lengths.
    for (const [id, each] of Object.entries(config.interfaces)) {
      const own = parseInterfaceAddress(cidr(each["ipaddrv6"], each["subnetv6"]) ?? "");
      if (own !== undefined && parsed !== undefined && baseOf(linkOf(own)) === baseOf(parsed))
        throw new Refused(
          400,
          "STATIC_ROUTE_CONFLICTS_WITH_IPV6_INTERFACE",
          `Destination network \`${network}\` conflicts with the IP address of interface with ID \`${id}\``,
        );
    }
    return { network, gateway: name, descr: say(body["descr"]) };
  },
};

export const mapping: Model = {
  one: "/firewall/nat/outbound/mapping",
  many: "/firewall/nat/outbound/mappings",
  subsystem: "natconf",
  rows: (config) => config.nat.outbound.rule,
  show: (row, id) => ({
    id,
    interface: text(row, "interface"),
    protocol: text(row, "protocol"),
    disabled: flag(row, "disabled"),
    nonat: flag(row, "nonat"),
    nosync: false,
    source: textOf(mapOf(row, "source"), "network") ?? "any",
    source_port: null,
    destination: textOf(mapOf(row, "destination"), "network") ?? "any",
    destination_port: null,
    target: textOf(row, "target")?.replace(/ip$/, ":ip") ?? null,
    target_subnet: null,
    nat_port: "",
    static_nat_port: false,
    poolopts: null,
    source_hash_key: null,
    descr: text(row, "descr"),
  }),
  make(body, { config }) {
    required(body, "interface", "source", "destination", "target");
    const target = say(body["target"]);
    if (!/^\w+:ip$/.test(target))
      throw new Refused(400, "SPECIAL_NETWORK_FIELD_INVALID", `Field \`target\` value \`${target}\` is invalid.`);
    return {
      interface: interfaceId(config, body["interface"]),
      source: { network: say(body["source"]) },
      destination: body["destination"] === "any" ? { any: "" } : { network: say(body["destination"]) },
      target: `${interfaceId(config, target.replace(":ip", ""))}ip`,
      descr: say(body["descr"]),
    };
  },
};

export const tunable: Model = {
  one: "/system/tunable",
  many: "/system/tunables",
  subsystem: "sysctl",
  rows: (config) => config.sysctl.item,
  show: (row, id) => ({ id, tunable: text(row, "tunable"), value: text(row, "value"), descr: text(row, "descr") }),
  make(body, { config }) {
    required(body, "tunable", "value");
    unique(config.sysctl.item, "tunable", "tunable", say(body["tunable"]));
    return { tunable: say(body["tunable"]), value: say(body["value"]), descr: say(body["descr"]) };
  },
};

export const models: readonly Model[] = [alias, rule, vip, gateway, route, mapping, tunable];
