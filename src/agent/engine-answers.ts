import { z } from "zod";
import { type Address, parseAddress } from "../net/address.ts";
import { comparePortRanges } from "../net/port.ts";
import { isTransport, type Transport, transports } from "../net/transport.ts";
import type { DeclaredPort } from "../openings/container-report.ts";
import type { Attachment, ContainerSight, EngineEvent, NetworkSight } from "./sight.ts";

// Docker's answers, API 1.40 to 1.52, as far as an agent reads them. What is not named here is not kept: no
// environment, no command, no mounts, no labels but sixgate's and Compose's two.

const idPattern = /^[0-9a-f]{64}$/;
const id = z.string().regex(idPattern);
const labelPrefix = "sixgate.";

export const versionAnswer = z.object({ Version: z.string().min(1), ApiVersion: z.string().regex(/^1\.\d+$/) });

/** Labels may be null, and are not looked at one by one by zod: a container can have hundreds. */
const labels = z.custom<Readonly<Record<string, unknown>>>((value) => typeof value === "object").nullish();

const listedPort = z.object({
  IP: z.string().optional(),
  PrivatePort: z.int().min(0).max(65_535),
  Type: z.string(),
});
type ListedPort = z.output<typeof listedPort>;

const listedNetwork = z.object({ NetworkID: z.string().optional(), GlobalIPv6Address: z.string().nullish() });

const listedContainer = z.object({
  Id: id,
  Names: z.array(z.string()).nullish(),
  Image: z.string(),
  ImageID: z.string(),
  State: z.string(),
  Labels: labels,
  Ports: z.array(listedPort).nullish(),
  HostConfig: z.object({ NetworkMode: z.string().optional() }).nullish(),
  NetworkSettings: z.object({ Networks: z.record(z.string(), listedNetwork.nullable()).nullish() }).nullish(),
});

/** `GET /containers/json`. */
export const listAnswer = z.array(listedContainer.transform(sightOf));

function sightOf(listed: z.output<typeof listedContainer>): ContainerSight {
  const own = listed.Labels ?? {};
  const mode = listed.HostConfig?.NetworkMode ?? "default";
  const project = textOf(own["com.docker.compose.project"]);
  const service = textOf(own["com.docker.compose.service"]);
  const ports = listed.Ports ?? [];
  return {
    id: listed.Id,
    name: nameOf(listed.Names ?? [], listed.Id),
    ...(project === undefined ? {} : { project }),
    ...(service === undefined ? {} : { service }),
    image: listed.Image,
    imageId: listed.ImageID,
    ...modeOf(mode),
    status: listed.State === "running" ? "running" : listed.State === "paused" ? "paused" : "stopped",
    labels: ownLabels(own),
    published: declared(ports.filter((port) => port.IP !== undefined && !isLoopback(port.IP))),
    exposed: declared(ports.filter((port) => port.IP === undefined)),
    attachments: attachmentsOf(listed.NetworkSettings?.Networks ?? {}),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A container that others link to has more names, with more slashes. */
function nameOf(names: readonly string[], id: string): string {
  const own = names.find((name) => name.lastIndexOf("/") === 0) ?? names[0];
  return own?.replace(/^\//, "") ?? id.slice(0, 12);
}

function modeOf(mode: string): Pick<ContainerSight, "mode" | "sharesWith"> {
  if (mode === "host" || mode === "none") return { mode };
  if (mode.startsWith("container:")) return { mode: "container", sharesWith: mode.slice("container:".length) };
  return { mode: "bridge" };
}

/** Those whose keys begin with `sixgate.`, in the order of their keys. */
export function ownLabels(all: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const own: [string, string][] = [];
  for (const key of Object.keys(all)) {
    const value = all[key];
    if (key.startsWith(labelPrefix) && typeof value === "string") own.push([key, value]);
  }
  return Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** 127.0.0.0/8 and ::1: whoever publishes there means this machine alone. */
function isLoopback(ip: string): boolean {
  return ip.startsWith("127.") || parseAddress(ip) === "::1";
}

/** The container's ports, each once, neighbours as one range. */
function declared(ports: readonly ListedPort[]): readonly DeclaredPort[] {
  const seen = new Map<Transport, Set<number>>();
  for (const { Type, PrivatePort } of ports) {
    if (!isTransport(Type) || PrivatePort === 0) continue;
    const set = seen.get(Type) ?? new Set();
    seen.set(Type, set.add(PrivatePort));
  }
  return transports.flatMap((transport) =>
    ranges([...(seen.get(transport) ?? [])].sort((a, b) => a - b)).map((each) => ({ transport, ports: each })),
  );
}

function ranges(sorted: readonly number[]): readonly DeclaredPort["ports"][] {
  const found: { first: number; last: number }[] = [];
  for (const port of sorted) {
    const open = found.at(-1);
    if (open !== undefined && open.last + 1 === port) open.last = port;
    else found.push({ first: port, last: port });
  }
  return found.sort(comparePortRanges);
}

function attachmentsOf(
  networks: Readonly<Record<string, z.output<typeof listedNetwork> | null>>,
): ReadonlyMap<string, Attachment> {
  const found = new Map<string, Attachment>();
  for (const [network, at] of Object.entries(networks)) {
    const address = parseAddress(at?.GlobalIPv6Address ?? "");
    if (address !== undefined && at?.NetworkID !== undefined && idPattern.test(at.NetworkID))
      found.set(at.NetworkID, { network, address });
  }
  return found;
}

/** `GET /networks/ID`. Keys of `Containers` that are no container ids are endpoints that belong to none yet. */
export const networkAnswer = z
  .object({
    Id: id,
    Name: z.string(),
    EnableIPv6: z.boolean(),
    // By hand, not by zod: on the hot path there may be a thousand of them, and this is ten times quicker.
    Containers: z.custom<Readonly<Record<string, unknown>>>((value) => typeof value === "object").nullish(),
  })
  .transform((answer, context): NetworkSight => {
    const members = new Map<string, Address>();
    const all = answer.Containers ?? {};
    for (const container of Object.keys(all)) {
      const text = memberAddress(all[container]);
      if (text === undefined) {
        context.addIssue({ code: "custom", path: ["Containers", container], message: "Not a member of a network" });
        return z.NEVER;
      }
      const address = parseAddress(text.split("/")[0] ?? "");
      if (address !== undefined && idPattern.test(container)) members.set(container, address);
    }
    return { id: answer.Id, name: answer.Name, ipv6: answer.EnableIPv6, members };
  });

/** Its IPv6 address with a length, empty where it has none; undefined where this is no member. */
function memberAddress(member: unknown): string | undefined {
  if (typeof member !== "object" || member === null) return undefined;
  if (!("IPv6Address" in member)) return "";
  return textOf(member.IPv6Address);
}

/** `GET /images/ID/json`: the labels that come with the image. */
export const imageAnswer = z
  .object({ Config: z.object({ Labels: labels }).nullish() })
  .transform((answer) => ownLabels(answer.Config?.Labels ?? {}));

const containerActions = ["start", "die", "destroy", "pause", "unpause", "rename"] as const;
const networkActions = ["connect", "disconnect"] as const;

/** What the stream is asked for: nothing of health checks and execs, which come by the thousand. */
export const eventFilters: string = JSON.stringify({
  type: ["container", "network"],
  event: [...containerActions, ...networkActions],
});

/**
 * One line of `GET /events`. Of a container's attributes nothing is read: its labels are among them, and override the
 * engine's own. Those of a network event are the engine's alone.
 */
export const eventAnswer = z
  .object({
    Type: z.string(),
    Action: z.string(),
    Actor: z.object({ ID: z.string(), Attributes: z.object({ container: z.unknown().optional() }).nullish() }),
    timeNano: z.number(),
  })
  .transform((event): EngineEvent | undefined => {
    const { Type, Action, Actor, timeNano } = event;
    const container = Type === "network" ? textOf(Actor.Attributes?.container) : Actor.ID;
    if (container === undefined || !idPattern.test(container)) return undefined;
    const at = timeNano / 1e6;
    const key = `${timeNano} ${Action} ${Actor.ID} ${container}`;
    const known = containerActions.find((each) => each === Action);
    if (Type === "container" && known !== undefined) return { action: known, container, at, key };
    const change = networkActions.find((each) => each === Action);
    if (Type !== "network" || change === undefined || !idPattern.test(Actor.ID)) return undefined;
    return { action: change, container, network: Actor.ID, at, key };
  });
