import { parseAddress } from "../../../src/net/address.ts";
import { parsePrefix } from "../../../src/net/prefix.ts";
import type { Entry, ListName } from "./config.ts";
import type { FakeDevice } from "./device.ts";
import { isFrom } from "./device.ts";

type Fields = Entry["fields"];
/** What is wrong, by field. */
export type Wrong = { [field: string]: string | readonly string[] };

/** A list of the API: its path, what its objects are called in a body, and what it takes. */
export type Model = {
  readonly list: ListName;
  readonly path: string;
  readonly root: string;
  readonly verbs: { readonly search: string; readonly add: string; readonly set: string; readonly del: string };
  /** Every field with its default, in the order of the model; a field that is not there is dropped without a word. */
  readonly defaults: (device: FakeDevice) => Fields;
  readonly check: (device: FakeDevice, fields: Fields, uuid: string | undefined) => Wrong;
};

const verbs = (noun: string): Model["verbs"] => ({
  search: `search${noun}`,
  add: `add${noun}`,
  set: `set${noun}`,
  del: `del${noun}`,
});

const blank = (...names: readonly string[]): Fields => Object.fromEntries(names.map((name) => [name, ""]));

export const models: readonly Model[] = [
  {
    list: "alias",
    path: "/firewall/alias",
    root: "alias",
    verbs: verbs("Item"),
    defaults: () => ({
      enabled: "1",
      name: "",
      type: "",
      ...blank("path_expression", "proto", "interface"),
      counters: "0",
      ...blank("updatefreq", "content", "password", "username", "authtype", "expire", "categories", "current_items"),
      ...blank("last_updated", "eval_nomatch", "eval_match", "in_block_p", "in_block_b", "in_pass_p", "in_pass_b"),
      ...blank("out_block_p", "out_block_b", "out_pass_p", "out_pass_b", "description"),
    }),
    check: checkAlias,
  },
  {
    list: "rule",
    path: "/firewall/filter",
    root: "rule",
    verbs: verbs("Rule"),
    defaults: (device) => ({
      enabled: "1",
      statetype: "keep",
      "state-policy": "",
      sequence: "1",
      sort_order: "",
      prio_group: "400000",
      action: "pass",
      quick: "1",
      interfacenot: "0",
      interface: "",
      direction: "in",
      ipprotocol: "inet",
      protocol: "any",
      icmptype: "",
      ...(isFrom(device, 26, 1) ? { icmp6type: "" } : {}),
      source_net: "any",
      source_not: "0",
      source_port: "",
      destination_net: "any",
      destination_not: "0",
      destination_port: "",
      ...blank("divert-to", "gateway", "replyto"),
      disablereplyto: "0",
      log: "0",
      allowopts: "0",
      nosync: "0",
      nopfsync: "0",
      ...blank("statetimeout", "udp-first", "udp-multiple", "udp-single", "max-src-nodes", "max-src-states"),
      ...blank("max-src-conn", "max", "max-src-conn-rate", "max-src-conn-rates", "max-pkt-rate-number"),
      ...blank("max-pkt-rate-seconds", "overload", "adaptivestart", "adaptiveend", "prio", "set-prio", "set-prio-low"),
      ...blank("tag", "tagged", "tcpflags1", "tcpflags2"),
      tcpflags_any: "0",
      ...blank("categories", "sched", "tos", "shaper1", "shaper2", "description"),
    }),
    check: checkRule,
  },
  {
    list: "snat",
    path: "/firewall/source_nat",
    root: "rule",
    verbs: verbs("Rule"),
    defaults: () => ({
      enabled: "1",
      nonat: "0",
      sequence: "1",
      interface: "lan",
      ipprotocol: "inet",
      protocol: "any",
      source_net: "any",
      source_not: "0",
      source_port: "",
      destination_net: "any",
      destination_not: "0",
      destination_port: "",
      target: "wanip",
      ...blank("target_port", "staticnatport"),
      log: "0",
      ...blank("categories", "tagged", "description"),
    }),
    check: () => ({}),
  },
  {
    list: "vip",
    path: "/interfaces/vip_settings",
    root: "vip",
    verbs: verbs("Item"),
    defaults: () => ({
      interface: "",
      mode: "ipalias",
      subnet: "",
      subnet_bits: "",
      gateway: "",
      noexpand: "0",
      nobind: "0",
      ...blank("password", "vhid"),
      advbase: "1",
      advskew: "0",
      ...blank("peer", "peer6"),
      nosync: "0",
      address: "",
      vhid_txt: "",
      descr: "",
    }),
    check: checkVip,
  },
  {
    list: "gateway",
    path: "/routing/settings",
    root: "gateway_item",
    verbs: verbs("Gateway"),
    defaults: () => ({
      disabled: "0",
      name: "",
      descr: "",
      interface: "",
      ipprotocol: "inet",
      gateway: "",
      defaultgw: "0",
      fargw: "0",
      monitor_disable: "1",
      monitor_noroute: "0",
      monitor_killstates: "0",
      monitor_killstates_priority: "0",
      monitor: "",
      force_down: "0",
      nosync: "0",
      priority: "255",
      weight: "1",
      ...blank("latencylow", "latencyhigh", "losslow", "losshigh", "interval", "time_period", "loss_interval"),
      data_length: "",
    }),
    check: checkGateway,
  },
  {
    list: "route",
    path: "/routes/routes",
    root: "route",
    verbs: verbs("route"),
    defaults: (device) => ({
      network: "",
      gateway: "",
      descr: "",
      ...(isFrom(device, 26, 7) ? { enabled: "1" } : { disabled: "0" }),
    }),
    check: checkRoute,
  },
  {
    list: "tunable",
    path: "/core/tunables",
    root: "sysctl",
    verbs: verbs("Item"),
    defaults: () => ({ tunable: "", value: "", descr: "" }),
    check: (device, fields, uuid) =>
      device.config.lists.tunable.some((each) => each.uuid !== uuid && each.fields["tunable"] === fields["tunable"])
        ? { "sysctl.tunable": "Tunable already exists." }
        : {},
  },
];

function others(device: FakeDevice, list: ListName, uuid: string | undefined): readonly Fields[] {
  return device.config.lists[list].filter((each) => each.uuid !== uuid).map(({ fields }) => fields);
}

function checkAlias(device: FakeDevice, fields: Fields, uuid: string | undefined): Wrong {
  const wrong: Wrong = {};
  const { name = "", type = "", content = "" } = fields;
  if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,31}$/.test(name))
    wrong["alias.name"] = "The name must be less than 32 characters long";
  if (others(device, "alias", uuid).some((each) => each["name"] === name))
    wrong["alias.name"] = "An alias with this name already exists.";
  const bad = content.split("\n").find((each) => each !== "" && !isEntry(type, each));
  if (bad !== undefined)
    wrong["alias.content"] =
      type === "network"
        ? `Entry "${bad}" is not a network.`
        : `Entry "${bad}" is not a valid hostname, IP address or range.`;
  return wrong;
}

function isEntry(type: string, text: string): boolean {
  if (type === "host") return parseAddress(text.replace(/\/128$/, "")) !== undefined || /^[a-z0-9.-]+$/i.test(text);
  if (type === "network") return parsePrefix(text) !== undefined || /^[0-9.]+\/\d+$/.test(text);
  return true;
}

const icmp6Types = new Set(["", "1", "2", "3", "4", "128", "129", "133", "134", "135", "136", "137"]);

function checkRule(device: FakeDevice, fields: Fields): Wrong {
  const wrong: Wrong = {};
  const { icmp6type = "", protocol = "", destination_port: port = "" } = fields;
  if (!icmp6Types.has(icmp6type)) wrong["rule.icmp6type"] = `Option [${icmp6type}] not in list.`;
  if (port !== "" && !["TCP", "UDP", "TCP/UDP"].includes(protocol))
    wrong["rule.destination_port"] = "Destination ports are only valid for tcp or udp type rules.";
  for (const side of ["source_net", "destination_net"]) {
    const net = fields[side] ?? "any";
    const known =
      net === "any" ||
      parseAddress(net) !== undefined ||
      parsePrefix(net) !== undefined ||
      device.config.lists.alias.some((each) => each.fields["name"] === net) ||
      device.config.interfaces[net] !== undefined;
    if (!known) wrong[`rule.${side}`] = `${net} is not a valid source IP address or alias.`;
  }
  for (const id of (fields["interface"] ?? "").split(",").filter((each) => each !== ""))
    if (device.config.interfaces[id] === undefined) wrong["rule.interface"] = `Option [${id}] not in list.`;
  return wrong;
}

function checkVip(device: FakeDevice, fields: Fields, uuid: string | undefined): Wrong {
  const { subnet } = fields;
  if (device.config.interfaces[fields["interface"] ?? ""] === undefined)
    return { "vip.interface": "Option not in list." };
  if (others(device, "vip", uuid).some((each) => each["subnet"] === subnet))
    return { "vip.network": ["Address already assigned."] };
  return {};
}

function checkGateway(device: FakeDevice, fields: Fields, uuid: string | undefined): Wrong {
  const wrong: Wrong = {};
  const all = others(device, "gateway", uuid);
  if (all.some((each) => each["name"] === fields["name"]))
    wrong["gateway_item.name"] = "Gateway with this name already exists.";
  if (all.some((each) => each["gateway"] === fields["gateway"]))
    wrong["gateway_item.gateway"] = "This gateway IP address already exists.";
  const before = device.config.lists.gateway.find((each) => each.uuid === uuid);
  if (before !== undefined && before.fields["name"] !== fields["name"])
    wrong["gateway_item.name"] = "Changing name on a gateway is not allowed.";
  return wrong;
}

function checkRoute(device: FakeDevice, fields: Fields): Wrong {
  const { gateway = "", network = "" } = fields;
  const six = network.includes(":");
  const known =
    gateway === (six ? "Null6" : "Null4") ||
    device.config.lists.gateway.some(
      (each) => each.fields["name"] === gateway && each.fields["ipprotocol"] === (six ? "inet6" : "inet"),
    );
  return known ? {} : { "route.gateway": "Specify a valid gateway from the list matching the networks ip protocol." };
}
