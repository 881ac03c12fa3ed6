import type { HostName } from "../../base/name.ts";
import { didYouMean } from "../../base/nearest.ts";
import { quote } from "../../base/quote.ts";
import type { Basis, Controller } from "../../controller/controller.ts";
import { type Address, fromBits, parseAddress } from "../../net/address.ts";
import { baseBits, contains } from "../../net/prefix.ts";
import type { ContainerReport } from "../../openings/container-report.ts";
import type { Service } from "../../openings/opening.ts";
import { readPorts } from "../../openings/ports.ts";
import { type Turned, turned } from "../answer.ts";

/** What is asked about, as it was written: `vm1/web:443`, `[2001:db8::1]:443/udp`, `vm1/web:ping`. */
export type Target = {
  readonly where:
    | { readonly kind: "container"; readonly host: string; readonly name: string }
    | { readonly kind: "address"; readonly address: Address };
  readonly service: Service;
};

/** One address that the question is about, and whose it is. */
export type Spot = {
  readonly to: Address;
  readonly host: HostName;
  /** As the host's agent reported it; undefined where no report has that address. */
  readonly container?: ContainerReport;
  /** Where the address is from: a report, the fleet file, or the question itself. */
  readonly by: "report" | "fleet" | "question";
  readonly network?: string;
};

const form = "write vm1/web:443, [2001:db8::1]:443/udp, or ping in the place of the port";

/** Rejects with 400 where it can't be read. One service: ranges are fine, `tcp+udp` is two questions. */
export function readTarget(text: string): Target {
  const match = /^(?:\[([^\]]*)\]|([^\s:[\]]+)):([^:\s]+)$/.exec(text);
  const [, bracketed, named, port = ""] = match ?? [];
  if (match === null) {
    const bare = parseAddress(text) === undefined ? `Not a target: ${quote(text)}` : `Port missing: ${quote(text)}`;
    throw bad(bare, parseAddress(text) === undefined ? form : `write [${text}]:443, or [${text}]:ping`);
  }
  const service = readService(port);
  if (bracketed !== undefined) {
    const address = parseAddress(bracketed);
    if (address === undefined) throw bad(`Not an IPv6 address: ${quote(bracketed)}`, form);
    return { where: { kind: "address", address }, service };
  }
  const slash = named?.indexOf("/") ?? -1;
  if (named === undefined || slash <= 0 || slash === named.length - 1)
    throw bad(`Not host/container: ${quote(named ?? "")}`, form);
  return { where: { kind: "container", host: named.slice(0, slash), name: named.slice(slash + 1) }, service };
}

function readService(text: string): Service {
  const read = readPorts(text);
  if (!("value" in read)) throw bad(read.text, read.fix);
  const [service, ...more] = read.value.kind === "services" ? read.value.services : [];
  if (service === undefined || more.length > 0) throw bad(`Not one service: ${quote(text)}`, form);
  return service;
}

function bad(text: string, fix: string): Turned {
  return turned(400, "E955", "query.to", text, fix);
}

/** The addresses that a target stands for, one at least. Throws 404 where host or container are not known. */
export function spotsOf(target: Target, controller: Controller): readonly Spot[] {
  const basis = controller.basis();
  if (target.where.kind === "address") return [spotAt(target.where.address, controller, basis)];
  const { host: hostText, name } = target.where;
  const plan = basis.plan.hosts.find((each) => each.host === hostText);
  if (plan === undefined) {
    const known = basis.plan.hosts.map((each) => each.host);
    throw turned(
      404,
      "E960",
      "query.to",
      `No host ${quote(hostText)} in the fleet${didYouMean(hostText, known)}`,
      `hosts: ${known.slice(0, 20).join(", ")}`,
    );
  }
  const found = containersNamed(plan.host, name, controller).flatMap((container) =>
    container.endpoints.map(
      ({ address, network }): Spot => ({ to: address, host: plan.host, container, by: "report", network }),
    ),
  );
  if (found.length > 0) return found;
  const reserved = basis.fleet.hosts.get(plan.host)?.docker.containers.get(name);
  const network = plan.networks.find((each) => each.name === reserved?.network);
  if (reserved === undefined || network === undefined) throw noContainer(plan.host, name, controller);
  return [
    { to: fromBits(baseBits(network.prefix) + reserved.suffix), host: plan.host, by: "fleet", network: network.name },
  ];
}

function noContainer(host: HostName, name: string, controller: Controller): Turned {
  const state = controller.agents().find((each) => each.host === host)?.state ?? "never";
  const known = controller.containers(host).map((each) => each.name);
  if (state !== "connected")
    return turned(
      404,
      "E960",
      "query.to",
      `Neither the fleet file nor an agent knows ${quote(name)} on ${host}; its agent: ${state}`,
      `see that the agent of ${host} runs, or name an address`,
    );
  const text = `No container ${quote(name)} on ${host}${didYouMean(name, known)}`;
  return turned(404, "E960", "query.to", text, known.length === 0 ? "none runs there" : "`docker ps` shows what runs");
}

/** By name, or by the first 12 digits of its id, as `docker ps` shows it, or more of them. */
export function containersNamed(host: HostName, name: string, controller: Controller): readonly ContainerReport[] {
  return controller
    .containers(host)
    .filter((each) => each.name === name || (name.length >= 12 && each.id.startsWith(name)));
}

function spotAt(to: Address, controller: Controller, { plan }: Basis): Spot {
  const host = plan.hosts.find((each) => contains(each.block, to))?.host;
  if (host === undefined)
    throw turned(404, "E960", "query.to", `${to} is in no host's block`, "`sixgate addr` shows the blocks");
  for (const container of controller.containers(host)) {
    const endpoint = container.endpoints.find((each) => each.address === to);
    if (endpoint !== undefined) return { to, host, container, by: "report", network: endpoint.network };
  }
  return { to, host, by: "question" };
}
