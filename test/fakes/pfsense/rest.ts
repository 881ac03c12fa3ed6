import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { lives } from "../firewall.ts";
import { withBody } from "../listen.ts";
import { type Fields, textOf } from "./config.ts";
import { applyFilter, applyInterfaces, applyRouting, applyVips, type FakeDevice } from "./device.ts";
import { showInterface, storeInterface } from "./interfaces.ts";
import { bringDownVip, configureSysctls, deviceOf } from "./kernel.ts";
import { type Body, type Context, type Model, models, Refused, type Shown } from "./models.ts";

type Call = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Body;
};

const statuses: Readonly<Record<number, string>> = {
  200: "ok",
  400: "bad request",
  401: "unauthorized",
  403: "forbidden",
  404: "not found",
  503: "service unavailable",
};

/** pfREST v2 over the device. */
export function restOf(device: FakeDevice): RequestListener {
  return withBody((request, response, text) => serve(device, request, response, text));
}

async function serve(
  device: FakeDevice,
  request: IncomingMessage,
  response: ServerResponse,
  text: string,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://device");
  const method = request.method ?? "GET";
  if (!url.pathname.startsWith("/api/v2/"))
    return void response.writeHead(200, { "content-type": "text/html" }).end("<html>pfSense</html>");
  const path = url.pathname.slice("/api/v2".length);
  const write = method !== "GET";
  if (write ? !lives(device) : device.lifetime <= 0) return void request.socket.destroy();
  device.log.push(`${method} ${path}`);
  if (device.faults.is("no-package"))
    return void response.writeHead(404, { "content-type": "text/html" }).end("<html><h1>404 Not Found</h1></html>");
  if (device.faults.strikes(write ? "fatal-write" : "fatal-read"))
    return void response
      .writeHead(500, { "content-type": "text/html" })
      .end(
        "PHP Fatal error:  Allowed memory size of 536870912 bytes exhausted in /usr/local/pkg/RESTAPI/Core/Model.inc",
      );
  // With this header the package reads the body, and ignores the query.
  const json = request.headers["content-type"]?.startsWith("application/json") === true;
  const call = {
    method,
    path,
    query: json && (method === "GET" || method === "DELETE") ? new URLSearchParams() : url.searchParams,
    body: json && text !== "" ? (JSON.parse(text) as Body) : {},
  };
  if (write && device.faults.strikes("slow")) await pause(600);
  if (write && device.faults.strikes("stalled")) await pause(3500);
  const before = structuredClone(device.config);
  const lost = method === "POST" && !path.endsWith("/apply") && device.faults.strikes("lost-update");
  const said = answer(device, call, request.headers["x-api-key"]);
  if (lost) device.config = before;
  if (write && device.faults.strikes("answer-lost")) return void request.socket.destroy();
  response.writeHead(said.code, { "content-type": "application/json" }).end(JSON.stringify(said));
}

type Said = {
  readonly code: number;
  readonly status: string | undefined;
  readonly response_id: string;
  readonly message: string;
  readonly data: unknown;
};

function say(code: number, response_id: string, message: string, data: unknown): Said {
  return { code, status: statuses[code], response_id, message, data };
}

function answer(device: FakeDevice, call: Call, key: unknown): Said {
  if (key !== device.key) return say(401, "AUTH_AUTHENTICATION_FAILED", "Authentication failed.", []);
  try {
    if (call.method === "GET" && device.denied.has(call.path))
      throw new Refused(403, "ENDPOINT_CLIENT_NOT_AUTHORIZED", "Authorization failed.");
    if (call.method !== "GET") {
      if (device.faults.strikes("no-rights"))
        throw new Refused(403, "ENDPOINT_CLIENT_NOT_AUTHORIZED", "Authorization failed.");
      const apply = call.path.endsWith("/apply");
      if (apply && device.faults.strikes("queue-full"))
        throw new Refused(
          503,
          "DISPATCHER_TOO_MANY_QUEUED_PROCESSES",
          "Dispatcher has too many queued processes. Please try again later.",
        );
      if (!apply && device.faults.strikes("write-locked"))
        throw new Refused(503, "MODEL_WRITE_CONFIG_LOCKED", "A config write lock is held by another process.");
    }
    return say(200, "SUCCESS", "", data(device, call));
  } catch (cause) {
    if (cause instanceof Refused) return say(cause.code, cause.id, cause.message, []);
    throw cause;
  }
}

function data(device: FakeDevice, call: Call): unknown {
  const model = models.find((each) => each.one === call.path || each.many === call.path);
  if (model !== undefined) return model.many === call.path ? plural(device, model, call) : single(device, model, call);
  return special(device, call);
}

function contextOf(device: FakeDevice): Context {
  return {
    config: device.config,
    now: device.now(),
    user: "admin",
    hasSix: (id) =>
      [...(device.kernel.addresses.get(deviceOf(device.config, id)) ?? [])].some((each) => each.includes(":")),
  };
}

/** Rows that the query's fields meet, with their indices; `name__startswith` and the exact value are what is used. */
function matching(device: FakeDevice, model: Model, query: URLSearchParams): readonly (readonly [Fields, number])[] {
  const controls = new Set(["apply", "async", "limit", "offset"]);
  return model.rows(device.config).flatMap((row, id) => {
    const shown = model.show(row, id);
    const fits = [...query].every(([key, value]) => {
      if (controls.has(key)) return true;
      const [name = "", filter] = key.split("__");
      const found = shown[name];
      const text = typeof found === "string" || typeof found === "number" ? String(found) : "";
      return filter === "startswith" ? text.startsWith(value) : text === value;
    });
    return fits ? [[row, id] as const] : [];
  });
}

function represent(device: FakeDevice, model: Model, row: Fields, id: number): Shown {
  const shown = model.show(row, id);
  if (!device.faults.is("named-by-descr") || shown["interface"] === undefined) return shown;
  const named = (name: string): string => device.config.interfaces[name]?.["descr"] ?? name.toUpperCase();
  const on: unknown = shown["interface"];
  return {
    ...shown,
    interface: Array.isArray(on) ? on.map((each) => named(String(each))) : typeof on === "string" ? named(on) : on,
  };
}

function plural(device: FakeDevice, model: Model, { method, query }: Call): unknown {
  const found = matching(device, model, query);
  if (method === "GET") return found.map(([row, id]) => represent(device, model, row, id));
  if (method !== "DELETE") throw new Refused(404, "ENDPOINT_METHOD", "not in the fake");
  const shown = found.map(([row, id]) => represent(device, model, row, id));
  for (const [row] of found) removeRow(device, model, row);
  if (query.get("apply") === "true") configureSysctls(device.kernel, device.config);
  return shown;
}

function removeRow(device: FakeDevice, model: Model, row: Fields): void {
  const rows = model.rows(device.config);
  if (model.one === "/firewall/rule" && rows.length <= 1)
    throw new Refused(
      403,
      "MODEL_MANY_MINIMUM_REACHED",
      "Object deletion denied. Deleting this object would result in the number of existing objects falling below the minimum number allowed for this Model, 1.",
    );
  const name = textOf(row, "name");
  if (
    model.one === "/routing/gateway" &&
    device.config.staticroutes.route.some((each) => textOf(each, "gateway") === name)
  )
    throw new Refused(409, "MODEL_CANNOT_BE_DELETED_WHILE_IN_USE", "Object is in use by a StaticRoute.");
  rows.splice(rows.indexOf(row), 1);
  if (model.subsystem !== undefined) device.dirty.add(model.subsystem);
  // Both are taken down at once, whatever waits to be applied.
  if (model.one === "/firewall/virtual_ip") bringDownVip(device.kernel, device.config, row);
  if (model.one === "/routing/static_route") device.kernel.routes.delete(textOf(row, "network") ?? "");
}

function single(device: FakeDevice, model: Model, { method, query, body }: Call): unknown {
  const rows = model.rows(device.config);
  const context = contextOf(device);
  if (method === "POST") {
    const row = model.make(body, context);
    if (body["dry_run"] === true) return represent(device, model, row, rows.length);
    rows.push(row);
    if (model.subsystem !== undefined) device.dirty.add(model.subsystem);
    if (model.one === "/firewall/virtual_ip") device.pendingVips.add(rows.length - 1);
    if (model.one === "/system/tunable" && body["apply"] === true) configureSysctls(device.kernel, device.config);
    return represent(device, model, row, rows.length - 1);
  }
  if (method === "PATCH" && device.faults.strikes("index-shift"))
    rows.unshift({ ...rows[0], name: "somebody", descr: "somebody's", address: "2001:db8:f::5" });
  const id = Number(query.get("id") ?? body["id"]);
  const row = rows[id];
  if (row === undefined) throw new Refused(404, "MODEL_OBJECT_NOT_FOUND", `Object with ID \`${id}\` does not exist.`);
  if (method === "GET") return represent(device, model, row, id);
  if (method === "PATCH") {
    rows[id] = model.make(body, context, row);
    if (model.subsystem !== undefined) device.dirty.add(model.subsystem);
    return represent(device, model, rows[id], id);
  }
  const shown = represent(device, model, row, id);
  removeRow(device, model, row);
  return shown;
}

function special(device: FakeDevice, call: Call): unknown {
  const { config } = device;
  const { method, path, body, query } = call;
  const applied = (subsystem: string): { applied: boolean } => ({ applied: !device.dirty.has(subsystem) });
  switch (`${method} ${path}`) {
    case "GET /interfaces":
      return Object.keys(config.interfaces).map((id) => showInterface(config, id));
    case "GET /interface":
      return showInterface(config, known(device, query.get("id")));
    case "POST /interface":
    case "PATCH /interface":
      return writeInterface(device, method, body);
    case "GET /interface/available_interfaces":
      return [...device.ports].map(([name, mac]) => ({
        id: name,
        if: name,
        mac,
        dmesg: null,
        in_use_by: Object.entries(config.interfaces).find(([, each]) => each["if"] === name)?.[0] ?? null,
      }));
    case "GET /firewall/nat/outbound/mode":
      return { mode: config.nat.outbound.mode ?? "automatic" };
    case "PATCH /firewall/nat/outbound/mode":
      config.nat.outbound.mode = String(body["mode"]);
      return { mode: config.nat.outbound.mode };
    case "GET /routing/gateway/default":
      return { defaultgw4: config.gateways.defaultgw4 ?? "", defaultgw6: config.gateways.defaultgw6 ?? "" };
    case "PATCH /routing/gateway/default":
      return writeDefaults(device, body);
    case "GET /firewall/apply":
      return firewallApplied(device);
    case "POST /firewall/apply":
      applyFilter(device);
      return firewallApplied(device);
    case "GET /firewall/virtual_ip/apply":
      return applied("vip");
    case "POST /firewall/virtual_ip/apply":
      applyVips(device);
      return applied("vip");
    case "GET /routing/apply":
      return applied("staticroutes");
    case "POST /routing/apply":
      applyRouting(device);
      return applied("staticroutes");
    case "GET /interface/apply":
      return { ...applied("interfaces"), pending_interfaces: [...device.pendingInterfaces] };
    case "POST /interface/apply":
      applyInterfaces(device);
      return { ...applied("interfaces"), pending_interfaces: [] };
    case "GET /diagnostics/table":
      return table(device, query.get("id") ?? "");
    case "GET /system/version":
      return {
        version: device.version,
        base: device.version.slice(0, 5),
        patch: "0",
        buildtime: "2025-09-01T00:00:00+00:00",
      };
    case "GET /system/restapi/version":
      return {
        current_version: device.packageVersion,
        latest_version: "v2.10.0",
        latest_version_release_date: "2026-08-07",
        update_available: false,
        available_versions: [],
      };
    default:
      throw new Refused(404, "ENDPOINT_NOT_FOUND", `The fake has no ${method} ${path}`);
  }
}

function firewallApplied({ dirty }: FakeDevice): unknown {
  const pending = ["aliases", "natconf", "filter", "shaper"].filter((each) => dirty.has(each));
  return { applied: pending.length === 0, pending_subsystems: pending };
}

function known(device: FakeDevice, id: unknown): string {
  if (typeof id === "string" && Object.hasOwn(device.config.interfaces, id)) return id;
  throw new Refused(404, "MODEL_OBJECT_NOT_FOUND", `Object with ID \`${String(id)}\` does not exist.`);
}

function writeInterface(device: FakeDevice, method: string, body: Body): unknown {
  const { config } = device;
  const ids = Object.keys(config.interfaces);
  const next = ids.includes("lan") ? `opt${1 + ids.filter((id) => id.startsWith("opt")).length}` : "lan";
  const id = method === "PATCH" ? known(device, body["id"]) : next;
  config.interfaces[id] = storeInterface(config, method === "PATCH" ? id : undefined, body);
  device.dirty.add("interfaces");
  device.pendingInterfaces.add(id);
  return showInterface(config, id);
}

function writeDefaults(device: FakeDevice, body: Body): unknown {
  const { gateways } = device.config;
  for (const key of ["defaultgw4", "defaultgw6"] as const) {
    const name = body[key];
    if (typeof name !== "string") continue;
    if (name !== "" && name !== "-" && !gateways.gateway_item.some((each) => textOf(each, "name") === name))
      throw new Refused(404, "FOREIGN_MODEL_FIELD_VALUE_NOT_FOUND", `Field \`${key}\` could not locate \`${name}\``);
    gateways[key] = name;
  }
  device.dirty.add("staticroutes");
  return { defaultgw4: gateways.defaultgw4 ?? "", defaultgw6: gateways.defaultgw6 ?? "" };
}

function table(device: FakeDevice, name: string): unknown {
  const entries = device.kernel.tables.get(name);
  if (entries === undefined)
    throw new Refused(404, "MODEL_OBJECT_NOT_FOUND", `Object with ID \`${name}\` does not exist.`);
  return { id: name, name, entries: [...entries] };
}
