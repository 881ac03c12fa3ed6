import { Failure } from "../../base/failure.ts";
import type { Value } from "../../change/item.ts";
import { parsePrefix } from "../../net/prefix.ts";
import { canonicalAddress, canonicalPrefix } from "../pf/canonical.ts";
import { hashOf, isMarked, mark } from "../pf/names.ts";
import { fieldOf } from "../pf/target.ts";
import { isOurs } from "./api.ts";
import { gatewayName } from "./links.ts";
import { deviceOf, interfaceOn, nouns, pluralOf, type RouteRow } from "./reading.ts";
import type { Work } from "./work.ts";

/** Gateway objects for next hops that have none yet. Not monitored: each would be a process that pings for ever. */
export async function bringGateways(work: Work): Promise<void> {
  let changed = false;
  for (const [rest] of work.target.all("gateway")) {
    const [device = "", via = ""] = rest.split(" ");
    if (gatewayName(work, device, via) !== undefined) continue;
    const row = interfaceOn(work.reading, device);
    if (row === undefined)
      throw new Failure(
        "E558",
        work.rest.name,
        `No interface for the next hop ${via}: ${device}`,
        "look at `sixgate plan`",
      );
    const name = `sg_${hashOf(rest)}`;
    // One of ours that somebody switched off or bent.
    if (work.reading.gateways.some((each) => each.name === name))
      await work.rest.remove(pluralOf("gateway"), { name }, isOurs, work.signal);
    await work.rest.create(
      nouns.gateway,
      {
        name,
        descr: `${mark}next hop ${via}`,
        ipprotocol: via.includes(":") ? "inet6" : "inet",
        interface: row.id,
        gateway: via,
        monitor_disable: true,
        action_disable: true,
        nonlocalgateway: true,
      },
      work.signal,
    );
    changed = true;
  }
  if (changed) await work.reread();
}

/** The default routes, each by the name of its gateway. */
export async function bringDefaults(work: Work): Promise<void> {
  const body: Record<string, string> = {};
  for (const [to, field] of [
    ["::/0", "defaultgw6"],
    ["0.0.0.0/0", "defaultgw4"],
  ] as const) {
    const name = hopOf(work, work.target.value(`route ${to}`));
    if (name !== undefined && work.reading.defaults[field] !== name) body[field] = name;
  }
  if (Object.keys(body).length === 0) return;
  await work.rest.update("/routing/gateway/default", body, work.signal);
  await applyRouting(work);
}

/** The gateway's name for a route's value; undefined where it is no way to a next hop. */
function hopOf(work: Work, value: Value | undefined): string | undefined {
  if (value === "automatic") return "";
  if (value === "none") return "-";
  const via = fieldOf(value, "via");
  const device = fieldOf(value, "device");
  return typeof via === "string" && typeof device === "string" ? gatewayName(work, device, via) : undefined;
}

async function applyRouting(work: Work): Promise<void> {
  await work.rest.apply("/routing/apply", work.signal);
  await work.reread();
}

/** Static routes. One that leads elsewhere goes first: the device would keep both. */
export async function bringRoutes(work: Work): Promise<void> {
  let changed = work.forced.routes;
  for (const [to, value] of work.target.all("route")) {
    if (to === "::/0" || to === "0.0.0.0/0") continue;
    const there = work.reading.routes.filter((row) => canonicalPrefix(row.network) === to);
    if (there.some((row) => !row.disabled && sameHop(work, row, value))) continue;
    if (there.some(({ descr }) => isMarked(descr ?? "")))
      await work.rest.remove(pluralOf("route"), { network: there[0]?.network ?? to }, isOurs, work.signal);
    if (value === "unreachable") await nowhere(work, to, true);
    else {
      const gateway = hopOf(work, value);
      if (gateway === undefined)
        throw new Failure("E512", work.rest.name, `No gateway for the route to ${to}`, "look at `sixgate plan`");
      await work.rest.create(nouns.route, { network: to, gateway, descr: `${mark}block of a host` }, work.signal);
    }
    changed = true;
  }
  if (changed) await applyRouting(work);
}

function sameHop({ reading }: Work, row: RouteRow, value: Value): boolean {
  if (value === "unreachable") return row.gateway === "Null6";
  const gateway = reading.gateways.find((each) => each.name === row.gateway);
  if (gateway?.gateway === undefined) return false;
  return (
    fieldOf(value, "via") === canonicalAddress(gateway.gateway) &&
    fieldOf(value, "device") === deviceOf(reading, gateway.interface)
  );
}

async function nowhere({ exec, rest, signal }: Work, to: string, present: boolean): Promise<void> {
  const network = parsePrefix(to);
  if (network === undefined) return;
  if (exec === undefined)
    throw new Failure(
      "E556",
      rest.name,
      `The REST API can't ${present ? "set" : "remove"} the route to nowhere for ${to}`,
      "add exec: ssh:root@… to the gateway",
    );
  await exec.nowhere(network, present, signal);
}

/** Routes first, then gateways: neither API nor kernel lets go of a gateway in use. */
export async function dropRouting(work: Work): Promise<void> {
  let changed = false;
  for (const row of work.reading.routes) {
    if (!isMarked(row.descr ?? "") || work.target.has(`route ${canonicalPrefix(row.network)}`)) continue;
    if (row.gateway === "Null6") await nowhere(work, canonicalPrefix(row.network), false);
    else await work.rest.remove(pluralOf("route"), { network: row.network }, isOurs, work.signal);
    changed = true;
  }
  for (const row of work.reading.gateways) {
    const key = `gateway ${deviceOf(work.reading, row.interface)} ${canonicalAddress(row.gateway ?? "")}`;
    if (!isMarked(row.descr ?? "") || work.target.has(key)) continue;
    await work.rest.remove(pluralOf("gateway"), { name: row.name }, isOurs, work.signal);
    changed = true;
  }
  if (changed) await applyRouting(work);
}
