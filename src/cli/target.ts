import { reservedAddress } from "../addressing/reserved-address.ts";
import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import type { FleetTest } from "../fleet/fleet.ts";
import { type Address, parseAddress } from "../net/address.ts";
import { parsePort } from "../net/port.ts";
import { isTransport } from "../net/transport.ts";
import type { Service } from "../openings/opening.ts";
import type { Opened } from "./fleet-file.ts";

export type Target = { readonly to: Address; readonly service?: Service };

/** `vm1/web`, `vm1/web:443`, `vm1/web:443/udp`, `vm1/web:ping`, an address, or `[address]:443`. */
export function targetIn(text: string, opened: Opened): Target {
  const bracketed = /^\[([^\]]+)\](?::(.+))?$/.exec(text);
  const named = /^([a-z0-9-]+)\/([A-Za-z0-9_.-]+)(?::(.+))?$/.exec(text);
  const to =
    named === null
      ? parseAddress(bracketed?.[1] ?? text)
      : containerAddress(opened, (named[1] ?? "") as HostName, named[2] ?? "");
  const said = bracketed?.[2] ?? named?.[3];
  const service = said === undefined ? undefined : serviceIn(said);
  if (to !== undefined && (said === undefined || service !== undefined)) {
    return { to, ...(service === undefined ? {} : { service }) };
  }
  if (named !== null && to === undefined) throw unnumbered(`${named[1]}/${named[2]}`);
  throw new Failure(
    "E802",
    "TARGET",
    `Not a target: ${JSON.stringify(text)}`,
    "write vm1/web, vm1/web:443, vm1/web:443/udp, an IPv6 address, or [address]:443",
  );
}

function unnumbered(container: string): Failure {
  return new Failure(
    "E802",
    "TARGET",
    `The fleet file has no container ${container}`,
    "containers that Docker numbers are asked by their address: [address]:443, as `sixgate openings` or `why` shows it",
  );
}

function serviceIn(text: string): Service | undefined {
  if (text === "ping") return { kind: "ping" };
  const [portText = "", transport = "tcp"] = text.split("/");
  const port = parsePort(portText);
  if (port === undefined || !isTransport(transport)) return undefined;
  return { kind: "ports", transport, ports: { first: port, last: port } };
}

export function containerAddress(opened: Opened, host: HostName, container: string): Address | undefined {
  const numbers = opened.plan.hosts.find((each) => each.host === host);
  const reserved = opened.fleet.hosts.get(host)?.docker.containers.get(container);
  return numbers === undefined || reserved === undefined ? undefined : reservedAddress(numbers, reserved);
}

/** A vantage as `tests:` names it. Throws a Failure with E974 for what is none. */
export function vantageIn(text: string, { fleet }: Opened): FleetTest["from"] {
  if (text === "internet" || text === "management") return { kind: text };
  if (fleet.groups.has(text)) return { kind: "group", group: text };
  const [host = "", container] = text.split("/");
  if (fleet.hosts.has(host as HostName)) {
    return { kind: "host", host: host as HostName, ...(container === undefined ? {} : { container }) };
  }
  throw new Failure("E974", "--from", `No vantage "${text}"`, "write internet, a group, a host, or host/container");
}
