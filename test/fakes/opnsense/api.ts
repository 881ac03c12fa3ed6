import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { parseAddress } from "../../../src/net/address.ts";
import { lives } from "../firewall.ts";
import { showTables } from "../kernel.ts";
import { withBody } from "../listen.ts";
import { type Entry, isOurs } from "./config.ts";
import { type FakeDevice, isFrom } from "./device.ts";
import { modelAt, rowsOf, searched } from "./grid.ts";
import { configureRoutes, configureTunables, configureVips, refreshAliases, reloadFilter } from "./kernel.ts";
import type { Model } from "./models.ts";

type Body = { readonly [key: string]: unknown };
type Said = { readonly code: number; readonly body: unknown };
type Call = { readonly method: string; readonly path: string; readonly body: Body };

/** OPNsense's API over HTTP. */
export function apiOf(device: FakeDevice): RequestListener {
  return withBody((request, response, text) => serve(device, request, response, text));
}

/** Questions that are asked by POST, as the product's grids ask them. */
const asking = /\/(search\w*|interfaces_info|query_states|list\/\w+)$/;

async function serve(
  device: FakeDevice,
  request: IncomingMessage,
  response: ServerResponse,
  text: string,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://device");
  const method = request.method ?? "GET";
  const path = url.pathname.slice("/api".length);
  const write = method === "POST" && !asking.test(path);
  if (write ? !lives(device) : device.lifetime <= 0) return void request.socket.destroy();
  device.log.push(`${method} ${path}`);
  if (device.faults.strikes(write ? "fatal-write" : "fatal-read"))
    return void response
      .writeHead(500, { "content-type": "text/html" })
      .end("PHP Fatal error:  Allowed memory size of 536870912 bytes exhausted in /usr/local/opnsense/mvc/app");
  if (write && device.faults.strikes("slow")) await pause(200);
  if (write && device.faults.strikes("stalled")) await pause(3500);
  const form = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
  const body = (form ? Object.fromEntries(new URLSearchParams(text)) : text === "" ? {} : JSON.parse(text)) as Body;
  const said = answer(device, { method, path, body }, request.headers.authorization, write);
  if (write && device.faults.strikes("answer-lost")) return void request.socket.destroy();
  response.writeHead(said.code, { "content-type": "application/json" }).end(JSON.stringify(said.body));
}

function answer(device: FakeDevice, call: Call, authorization: string | undefined, write: boolean): Said {
  const known = `Basic ${Buffer.from(`${device.key}:${device.secret}`).toString("base64")}`;
  if (authorization !== known) return { code: 401, body: { status: 401, message: "Authentication Failed" } };
  if (!write && device.denied.has(call.path)) return { code: 403, body: { status: 403, message: "Forbidden" } };
  if (write && device.faults.strikes("no-rights")) return { code: 403, body: { status: 403, message: "Forbidden" } };
  if (write && device.faults.strikes("write-fails")) return fine({ result: "failed", status: "failed" });
  const said = applied(device, call) ?? utility(device, call) ?? diagnosed(device, call) ?? stored(device, call);
  return said ?? { code: 404, body: { errorMessage: "Endpoint not found" } };
}

function fine(body: unknown): Said {
  return { code: 200, body };
}

/** PHP takes numbers for texts. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? `${value}` : "";
}

/** What makes the configuration run. */
function applied(device: FakeDevice, { path }: Call): Said | undefined {
  const { kernel, config, faults } = device;
  const actions: { readonly [path: string]: () => void } = {
    "/interfaces/vip_settings/reconfigure": () => configureVips(kernel, config, device.removedVips),
    "/routing/settings/reconfigure": () => setRoutes(device),
    "/routes/routes/reconfigure": () => setRoutes(device),
    "/firewall/alias/reconfigure"() {
      loadRules(device);
      if (!faults.strikes("tables-not-loaded")) refreshAliases(kernel, config);
    },
    "/firewall/filter/apply": () => loadRules(device),
    "/firewall/source_nat/apply": () => loadRules(device),
    ...(isFrom(device, 25, 1) ? { "/core/tunables/reconfigure": () => configureTunables(kernel, config) } : {}),
  };
  const action = actions[path];
  if (action === undefined) return undefined;
  if (faults.strikes("configd-down")) return fine({ status: "Execute error" });
  action();
  showTables(kernel, device.root);
  return fine({ status: path.endsWith("/apply") ? "OK" : "ok" });
}

function setRoutes({ kernel, config, faults, removedRoutes }: FakeDevice): void {
  if (!faults.strikes("routes-not-set")) configureRoutes(kernel, config, removedRoutes);
}

function loadRules({ kernel, config, faults }: FakeDevice): void {
  if (!faults.strikes("rules-not-loaded")) reloadFilter(kernel, config);
}

/** Tables of pf, and the aliases behind them. */
function utility(device: FakeDevice, { method, path, body }: Call): Said | undefined {
  const { kernel } = device;
  const [, verb = "", name = ""] = /^\/firewall\/alias_util\/(\w+)(?:\/(\w+))?$/.exec(path) ?? [];
  if (verb === "aliases") return fine([...kernel.tables.keys()].sort());
  if (verb === "list") {
    const all = [...(kernel.tables.get(name) ?? [])].sort();
    const size = Number(body["rowCount"] ?? 9999);
    const current = Number(body["current"] ?? 1);
    const from = (current - 1) * size;
    // array_slice(): a length of -1 leaves the last one out.
    const rows = size < 0 ? all.slice(from, size) : all.slice(from, from + size);
    return fine({ total: all.length, rowCount: size, current, rows: rows.map((ip) => ({ ip })) });
  }
  if ((verb !== "add" && verb !== "delete") || method !== "POST") return undefined;
  const address = textOf(body["address"]);
  const alias = device.config.lists.alias.find(({ fields }) => fields["name"] === name);
  if (verb === "add" && !/^[0-9a-f:./_]+$/.test(address)) return fine({ status: "not_an_address" });
  if (alias === undefined && verb === "add") return fine({ status: "failed", status_msg: `nonexistent alias ${name}` });
  if (alias !== undefined && ["host", "network"].includes(alias.fields["type"] ?? ""))
    alias.fields["content"] = changed(device, alias.fields, verb, address);
  const table = kernel.tables.get(name);
  const entry = address.replace(/\/128$/, "");
  if (verb === "add") table?.add(entry);
  else table?.delete(entry);
  showTables(kernel, device.root);
  return fine({ status: "done" });
}

function changed(device: FakeDevice, fields: Entry["fields"], verb: "add" | "delete", address: string): string {
  const items = (fields["content"] ?? "").split("\n").filter((each) => each !== "");
  const masked = address.includes("/") ? address : `${address}/${address.includes(":") ? 128 : 32}`;
  if (verb === "delete") return items.filter((each) => each !== masked && each !== address).join("\n");
  // Older versions give hosts a mask too.
  const entry = fields["type"] === "network" || !isFrom(device, 25, 1) ? masked : address;
  // array_search() of the first one is 0, which PHP takes for not found.
  return items.indexOf(entry) > 0 ? items.join("\n") : [...items, entry].join("\n");
}

function diagnosed(device: FakeDevice, { method, path, body }: Call): Said | undefined {
  const { kernel, config } = device;
  switch (path) {
    case "/diagnostics/system/system_information":
      return fine({
        name: `${config.hostname}.example.net`,
        versions: [`OPNsense ${device.version}-amd64`, "FreeBSD 14.3-RELEASE-p1", "OpenSSL 3.0.17"],
        updates: "Click to check for updates.",
      });
    case "/diagnostics/interface/get_routes":
      return fine(
        [...kernel.routes].map(([to, via]) => ({
          proto: to.includes(":") ? "ipv6" : "ipv4",
          destination: to.endsWith("/0") ? "default" : to,
          gateway: via === "blackhole" ? "::1" : via.startsWith("fe80") ? `${via}%vtnet0` : via,
          flags: via === "blackhole" ? "UGSB" : "UGS",
          netif: "vtnet0",
        })),
      );
    case "/firewall/filter_util/rule_stats":
      return fine({ status: "ok", stats: statsOf(device) });
    case "/interfaces/overview/interfaces_info":
      return fine(grid(interfaceRows(device)));
    case "/diagnostics/firewall/query_states":
      return fine(grid(stateRows(device, textOf(body["ruleid"]), textOf(body["searchPhrase"]))));
    case "/diagnostics/firewall/kill_states":
      return fine({ result: "ok", dropped_states: killed(device, textOf(body["filter"])) });
    case "/firewall/alias/getTableSize":
      return fine({
        status: "ok",
        size: 1_000_000,
        used: [...kernel.tables.values()].reduce((sum, each) => sum + each.size, 0),
      });
    default: {
      const [, id] = /^\/diagnostics\/firewall\/del_state\/(\w+)\/\w+$/.exec(path) ?? [];
      if (id === undefined || method !== "POST") return undefined;
      kernel.states = kernel.states.filter((each) => each.id !== id);
      return fine({ result: "OK" });
    }
  }
}

function grid(rows: readonly unknown[]): Body {
  return { rows, rowCount: rows.length, total: rows.length, current: 1 };
}

/** Counts by label. Before 25.7 only labels of the older kind are counted. */
function statsOf(device: FakeDevice): unknown {
  const own = isFrom(device, 25, 7) ? device.kernel.rules.map(({ tracker }) => tracker) : [];
  return Object.fromEntries(
    [...own, "02f4bab031b57d1e30553ce08e0ec131"].map((label) => [label, { pf_rules: 1, evaluations: 10, packets: 5 }]),
  );
}

function interfaceRows({ config, kernel, ports }: FakeDevice): readonly unknown[] {
  const assigned = Object.entries(config.interfaces).flatMap(([identifier, settings]) => {
    const device = settings["if"] ?? "";
    if (!ports.has(device)) return [];
    const all = [...(kernel.addresses.get(device) ?? [])].map((ipaddr) => ({ ipaddr }));
    return [
      {
        device,
        identifier,
        description: settings["descr"] ?? identifier.toUpperCase(),
        enabled: settings["enable"] === "1",
        status: "up",
        macaddr: settings["spoofmac"] ?? ports.get(device) ?? "",
        config: { ...settings, identifier },
        ipv4: all.filter(({ ipaddr }) => !ipaddr.includes(":")),
        ipv6: [{ ipaddr: `fe80::be24:11ff:fe00:0%${device}/64` }, ...all.filter(({ ipaddr }) => ipaddr.includes(":"))],
      },
    ];
  });
  const known = new Set(assigned.map(({ device }) => device));
  const free = [...ports.keys()].filter((each) => !known.has(each));
  return [
    ...assigned,
    ...free.map((device) => ({
      device,
      identifier: "",
      description: "Unassigned Interface",
      macaddr: ports.get(device),
    })),
  ];
}

function stateRows(device: FakeDevice, ruleid: string, phrase: string): readonly unknown[] {
  // A filter loses its colons on the way, so that an address of IPv6 is found by nobody.
  const filter = phrase.replaceAll(/[^0-9a-zA-Z ,*\-_.#]/g, "");
  return device.kernel.states
    .filter((each) => filter === "" || `${each.from} ${each.to} ${each.port}`.includes(filter))
    .filter(() => ruleid === "")
    .map(({ id, protocol, from, to, port }) => ({
      id: `${id}/0badcafe`,
      iface: "all",
      proto: protocol,
      ipproto: "ipv6",
      direction: "in",
      src_addr: from,
      src_port: "50000",
      dst_addr: to,
      dst_port: String(port),
      state: "ESTABLISHED:ESTABLISHED",
    }));
}

function killed({ kernel }: FakeDevice, phrase: string): number {
  const filter = phrase.replaceAll(/[^0-9a-zA-Z ,*\-_.#]/g, "");
  const before = kernel.states.length;
  if (filter !== "") kernel.states = kernel.states.filter((each) => !`${each.from} ${each.to}`.includes(filter));
  return before - kernel.states.length;
}

/** Lists of the configuration. */
function stored(device: FakeDevice, call: Call): Said | undefined {
  const { path, body, method } = call;
  const model = modelAt(path);
  if (model === undefined || (model.list === "tunable" && !isFrom(device, 25, 1))) return undefined;
  const [verb = "", uuid = ""] = path.slice(model.path.length + 1).split("/");
  const { search, add, set, del } = model.verbs;
  if (verb === search) {
    const rows = searched(rowsOf(device, model), textOf(body["searchPhrase"]));
    return fine(grid(rows));
  }
  if (model.list === "alias" && verb === "getAliasUUID") {
    const found = device.config.lists.alias.find(({ fields }) => fields["name"] === uuid);
    return fine(found === undefined ? [] : { uuid: found.uuid });
  }
  if (method !== "POST") return undefined;
  if (verb === add) return fine(write(device, model, undefined, body));
  if (verb === set) return fine(write(device, model, uuid, body));
  return verb === del ? remove(device, model, uuid) : undefined;
}

function write(device: FakeDevice, model: Model, uuid: string | undefined, body: Body): unknown {
  const sent = body[model.root];
  if (typeof sent !== "object" || sent === null) return { result: "failed" };
  const list = device.config.lists[model.list];
  const there = list.find((each) => each.uuid === uuid);
  const known = model.defaults(device);
  const fields = { ...known, ...there?.fields };
  for (const [key, value] of Object.entries(sent as Body)) {
    if (model.list === "vip" && key === "network") {
      const [subnet = "", bits = ""] = textOf(value).split("/");
      Object.assign(fields, { subnet: parseAddress(subnet) ?? subnet, subnet_bits: bits });
    } else if (key in known) fields[key] = textOf(value);
  }
  // Older versions take a name that is not sent for an empty one, and rename whatever uses the alias.
  if (model.list === "alias" && there !== undefined && !("name" in sent) && !isFrom(device, 26, 7))
    for (const rule of device.config.lists.rule)
      for (const side of ["source_net", "destination_net"])
        if (rule.fields[side] === there.fields["name"]) rule.fields[side] = "";
  const validations = model.check(device, fields, uuid);
  if (Object.keys(validations).length > 0) return { result: "failed", validations };
  if (there !== undefined) {
    there.fields = fields;
    return { result: "saved" };
  }
  // A name in place of a uuid: the product draws one.
  const drawn = uuid !== undefined && uuid.includes("-") ? uuid : device.uuid();
  list.push({ uuid: drawn, fields });
  const made = list.at(-1);
  if (made !== undefined && isOurs(made) && device.faults.strikes("somebody-removes")) list.pop();
  return uuid === undefined ? { result: "saved", uuid: drawn } : { result: "saved" };
}

function remove(device: FakeDevice, model: Model, uuid: string): Said {
  const { lists } = device.config;
  const list = lists[model.list];
  const found = list.find((each) => each.uuid === uuid);
  if (found === undefined) return fine({ result: "not found" });
  const { name = "" } = found.fields;
  const inUse =
    (model.list === "alias" &&
      lists.rule.some(({ fields }) => [fields["source_net"], fields["destination_net"]].includes(name))) ||
    (model.list === "gateway" && lists.route.some(({ fields }) => fields["gateway"] === name));
  if (inUse)
    return {
      code: 500,
      body: { errorMessage: `Cannot delete ${model.list}. Currently in use by [rule]`, errorTitle: "In use" },
    };
  list.splice(list.indexOf(found), 1);
  if (model.list === "vip") device.removedVips.set(uuid, found.fields["subnet"] ?? "");
  if (model.list === "route") device.removedRoutes.set(uuid, found.fields["network"] ?? "");
  return fine({ result: "deleted" });
}
