import type { Entry } from "./config.ts";
import { type FakeDevice, isFrom } from "./device.ts";
import { defaultGateway, deviceOf, sortedGateways } from "./kernel.ts";
import { type Model, models } from "./models.ts";

// Rows as the product's grids show them: each field, and beside a choice its name for people.

type Row = { [key: string]: unknown };
type PlainRow = { [key: string]: string };

const labels: { readonly [field: string]: { readonly [value: string]: string } } = {
  type: { host: "Host(s)", network: "Network(s)", external: "External (advanced)", port: "Port(s)" },
  statetype: { keep: "keep state" },
  action: { pass: "Pass", block: "Block", reject: "Reject" },
  direction: { in: "In", out: "Out", any: "Both" },
  ipprotocol: { inet: "IPv4", inet6: "IPv6", inet46: "any" },
  icmp6type: { "128": "Echo service request" },
  mode: { ipalias: "IP Alias", carp: "CARP" },
};

/** Choices that grids name, by list. */
const named: { readonly [list: string]: readonly string[] } = {
  alias: ["type"],
  rule: ["statetype", "action", "interface", "direction", "ipprotocol", "icmp6type"],
  snat: ["interface", "ipprotocol"],
  vip: ["interface", "mode"],
};

export function rowsOf(device: FakeDevice, model: Model): readonly Row[] {
  switch (model.list) {
    case "gateway":
      return gatewayRows(device, model);
    case "tunable":
      return [...device.config.lists.tunable.map((each) => plain(device, model, each)), ...unsetTunables(device)];
    case "rule":
      return [
        ...device.config.lists.rule.map((each) => ruleRow(device, plain(device, model, each))),
        ...(isFrom(device, 25, 7) ? automaticRules : []),
      ];
    case "snat":
      return device.config.lists.snat.map((each) => ruleRow(device, plain(device, model, each)));
    case "alias":
      return device.config.lists.alias
        .toSorted((a, b) => ((a.fields["name"] ?? "") < (b.fields["name"] ?? "") ? -1 : 1))
        .map((each) => ({ ...plain(device, model, each), categories_uuid: [] }));
    case "vip":
      return device.config.lists.vip.map((each) => {
        const row = plain(device, model, each);
        return { ...row, address: `${row["subnet"]}/${row["subnet_bits"]}` };
      });
    case "route":
      return device.config.lists.route.map((each) => {
        const row = plain(device, model, each);
        const hop = device.config.lists.gateway.find(({ fields }) => fields["name"] === row["gateway"]);
        return { ...row, "%gateway": `${row["gateway"]} - ${hop?.fields["gateway"] ?? "::1"}` };
      });
  }
}

function plain(device: FakeDevice, model: Model, { uuid, fields }: Entry): PlainRow {
  const row: PlainRow = { uuid };
  for (const [key, value] of Object.entries(model.defaults(device))) {
    const found = fields[key] ?? value;
    row[key] = found;
    const label =
      key === "interface" ? (device.config.interfaces[found]?.["descr"] ?? found.toUpperCase()) : labels[key]?.[found];
    if (label !== undefined && found !== "" && named[model.list]?.includes(key) === true) row[`%${key}`] = label;
  }
  return row;
}

function ruleRow(device: FakeDevice, row: Row): Row {
  const meta = ["source_net", "source_port", "destination_net", "destination_port"].flatMap((field) => {
    const value = row[field];
    return typeof value === "string" && value !== "" ? [[`alias_meta_${field}`, [metaOf(device, value)]] as const] : [];
  });
  const sequence = String(row["sequence"]).padStart(7, "0");
  return {
    ...row,
    ...(row["sort_order"] === undefined ? {} : { sort_order: `400000.${sequence}` }),
    category_colors: [],
    ...Object.fromEntries(meta),
  };
}

function metaOf(device: FakeDevice, value: string): Row {
  const alias = device.config.lists.alias.find(({ fields }) => fields["name"] === value)?.fields;
  if (alias === undefined) return { value, "%value": value, isAlias: false, description: "" };
  const { description = "", content = "" } = alias;
  return {
    summary: `<strong>${description}</strong><br/>${content.split("\n").join("<br/>")}`,
    description,
    value,
    "%value": value,
    isAlias: true,
  };
}

/** Rules that the product makes by itself are listed beside people's, without uuids. */
const automaticRules: readonly Row[] = [
  {
    legacy: true,
    is_automatic: true,
    enabled: "1",
    sequence: 1,
    action: "Block",
    direction: "In",
    interface: "",
    ipprotocol: "IPv6",
    description: "Default deny / state violation rule",
    sort_order: "000005.1000001",
  },
];

function gatewayRows(device: FakeDevice, model: Model): readonly Row[] {
  const { config } = device;
  const defaults = new Set(["inet", "inet6"].flatMap((family) => defaultGateway(config, family)?.uuid ?? []));
  const current = {
    current_latencylow: "200",
    current_latencyhigh: "500",
    current_losslow: "10",
    current_losshigh: "20",
    current_interval: "1",
    current_time_period: "60",
    current_loss_interval: "4",
    current_data_length: "1",
  };
  return sortedGateways(config).map((each) => {
    const row = plain(device, model, each);
    const id = String(row["interface"]);
    return {
      ...row,
      ...current,
      if: deviceOf(config, id),
      attribute: each.attribute,
      virtual: false,
      disabled: row["disabled"] === "1",
      upstream: row["defaultgw"] === "1",
      defaultgw: defaults.has(each.uuid),
      interface_descr: config.interfaces[id]?.["descr"] ?? id.toUpperCase(),
      status: "Misconfigured Gateway IP",
      delay: "~",
      stddev: "~",
      loss: "~",
      label_class: "fa fa-plug text-warning",
    };
  });
}

/** What the product has a default for, and nobody set: the name stands where a uuid would. */
function unsetTunables({ config, unset }: FakeDevice): readonly Row[] {
  return unset
    .filter((name) => !config.lists.tunable.some(({ fields }) => fields["tunable"] === name))
    .map((tunable) => ({ uuid: tunable, tunable, value: "", default_value: "1", descr: "", type: "w" }));
}

export function modelAt(path: string): Model | undefined {
  return models.find((each) => path.startsWith(`${each.path}/`));
}

/** Those rows in which each word of the phrase is somewhere. */
export function searched(rows: readonly Row[], phrase: string): readonly Row[] {
  const words = phrase.split(/\s+/).filter((each) => each !== "");
  return rows.filter((row) =>
    words.every((word) =>
      Object.values(row).some((value) => typeof value === "string" && value.toLowerCase().includes(word.toLowerCase())),
    ),
  );
}
