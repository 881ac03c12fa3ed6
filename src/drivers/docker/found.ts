import { z } from "zod";

/** What an engine has, as far as a fleet file cares. */
export type FoundEngine = {
  /** `28.5.1`; undefined where nothing that was read says it. */
  readonly version?: string;
  readonly networks: readonly FoundNetwork[];
  readonly containers: readonly FoundContainer[];
};
export type FoundNetwork = {
  readonly name: string;
  readonly driver: string;
  readonly internal: boolean;
  /** Its IPv6 prefixes. */
  readonly six: readonly string[];
};
export type FoundContainer = {
  readonly name: string;
  readonly image: string;
  readonly published: readonly Published[];
  /** EXPOSE of its image, as `443/udp`. */
  readonly exposed: readonly string[];
  /** The names of its networks with the IPv6 address that somebody set there. */
  readonly networks: readonly { readonly name: string; readonly set?: string }[];
  /** What its label says already. */
  readonly open?: string;
};
/** `at`: the host's address, "" for all; `port` and `transport` are the container's. */
export type Published = { readonly at: string; readonly port: number; readonly transport: string };

const nothing = <T>(value: T | null | undefined, otherwise: T): T => value ?? otherwise;
const versionShape = z.object({ Server: z.object({ Version: z.string() }).nullable() });
const serverShape = z.object({ Version: z.string(), ApiVersion: z.string() });
const networkShape = z.object({
  Name: z.string(),
  Driver: z.string(),
  Internal: z.boolean().nullish(),
  IPAM: z.object({ Config: z.array(z.object({ Subnet: z.string().nullish() })).nullish() }),
});
const binding = z.array(z.object({ HostIp: z.string().nullish() })).nullish();
const containerShape = z.object({
  Name: z.string(),
  Config: z.object({
    Image: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
    ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
  }),
  HostConfig: z.object({ PortBindings: z.record(z.string(), binding).nullish() }),
  NetworkSettings: z.object({
    Networks: z
      .record(z.string(), z.object({ IPAMConfig: z.object({ IPv6Address: z.string().nullish() }).nullish() }).nullish())
      .nullish(),
  }),
});
/** A line of `docker ps --format json`. */
const rowShape = z.object({ Names: z.string(), Image: z.string(), Ports: z.string(), Networks: z.string() });

/**
 * Reads what `docker version`, `docker network inspect`, `docker container inspect` and `docker ps` print as JSON, one
 * behind the other in any order. Throws an Error for anything else: what is not understood is not nothing.
 */
export function foundIn(text: string): FoundEngine {
  const values = jsonValues(text).flatMap((value) => (Array.isArray(value) ? (value as readonly unknown[]) : [value]));
  if (values.length === 0) throw new Error("it holds no JSON");
  let version: string | undefined;
  const networks: FoundNetwork[] = [];
  const containers: FoundContainer[] = [];
  for (const value of values) {
    const [told, server] = [versionShape.safeParse(value), serverShape.safeParse(value)];
    const [network, container] = [networkShape.safeParse(value), containerShape.safeParse(value)];
    const row = rowShape.safeParse(value);
    if (told.success) version = told.data.Server?.Version ?? version;
    else if (server.success) version = server.data.Version;
    else if (container.success) containers.push(containerIn(container.data));
    else if (network.success) networks.push(networkIn(network.data));
    else if (row.success) containers.push(rowIn(row.data));
    else throw new Error("it holds what is no answer of docker version, network inspect, container inspect or ps");
  }
  const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);
  return {
    ...(version === undefined ? {} : { version }),
    networks: networks.sort(byName),
    containers: containers.sort(byName),
  };
}

function networkIn({ Name, Driver, Internal, IPAM }: z.output<typeof networkShape>): FoundNetwork {
  const six = nothing(IPAM.Config, []).flatMap(({ Subnet }) => (Subnet?.includes(":") === true ? [Subnet] : []));
  return { name: Name, driver: Driver, internal: nothing(Internal, false), six };
}

function containerIn({ Name, Config, HostConfig, NetworkSettings }: z.output<typeof containerShape>): FoundContainer {
  const published = Object.entries(nothing(HostConfig.PortBindings, {})).flatMap(([key, all]) =>
    nothing(all, []).flatMap(({ HostIp }) => publishedAs(nothing(HostIp, ""), key)),
  );
  const open = Config.Labels?.["sixgate.open"];
  return {
    name: Name.replace(/^\//, ""),
    image: Config.Image,
    published,
    exposed: Object.keys(nothing(Config.ExposedPorts, {})).sort(),
    networks: Object.entries(nothing(NetworkSettings.Networks, {}))
      .map(([name, endpoint]) => {
        const set = endpoint?.IPAMConfig?.IPv6Address;
        return { name, ...(set === undefined || set === null || set === "" ? {} : { set }) };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    ...(open === undefined ? {} : { open }),
  };
}

/** `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp`: what stands without an arrow is exposed only. */
function rowIn({ Names, Image, Ports, Networks }: z.output<typeof rowShape>): FoundContainer {
  const parts = Ports.split(", ").filter((each) => each !== "");
  return {
    name: Names.split(",")[0] ?? Names,
    image: Image,
    published: parts.flatMap((part) => {
      const [, at = "", ports = ""] = /^(.*):[\d-]+->(.*)$/.exec(part) ?? [];
      return ports === "" ? [] : rangeOf(ports).flatMap((each) => publishedAs(at.replace(/^\[|\]$/g, ""), each));
    }),
    exposed: parts.filter((part) => !part.includes("->")).flatMap(rangeOf),
    networks: Networks.split(",")
      .filter((each) => each !== "")
      .sort()
      .map((name) => ({ name })),
  };
}

function publishedAs(at: string, key: string): readonly Published[] {
  const [, port, transport = ""] = /^(\d{1,5})\/(tcp|udp|sctp)$/.exec(key) ?? [];
  if (port === undefined) throw new Error("a published port is no port with its protocol");
  return [{ at: ["0.0.0.0", "::"].includes(at) ? "" : at, port: Number(port), transport }];
}

/** `8000-8002/tcp` is three ports. */
function rangeOf(text: string): readonly string[] {
  const [, first, last, transport] = /^(\d{1,5})-(\d{1,5})\/(\w+)$/.exec(text) ?? [];
  if (first === undefined || last === undefined) return [text];
  const count = Math.min(Math.max(Number(last) - Number(first) + 1, 0), 65_536);
  return Array.from({ length: count }, (_, i) => `${Number(first) + i}/${transport}`);
}

/** Values of JSON that stand one behind the other (RFC 8259 has one alone), each from its bracket to that which closes it. */
function jsonValues(text: string): readonly unknown[] {
  const values: unknown[] = [];
  let depth = 0;
  let start = 0;
  // Strings whole, and brackets outside of them.
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/gs)) {
    if (token.startsWith('"')) continue;
    const opens = token === "{" || token === "[";
    if (opens && depth++ === 0) {
      if (text.slice(start, index).trim() !== "") throw new Error("it is not JSON");
      start = index;
    }
    if (!opens && --depth === 0) {
      values.push(JSON.parse(text.slice(start, index + 1)));
      start = index + 1;
    }
  }
  if (text.slice(start).trim() !== "") throw new Error("it is not whole: a bracket is not closed");
  return values;
}
