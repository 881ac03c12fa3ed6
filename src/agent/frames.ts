import { z } from "zod";
import type { HostName } from "../base/name.ts";
import { isName } from "../base/name.ts";
import type { Address } from "../net/address.ts";
import { parseAddress } from "../net/address.ts";
import { type Prefix, parsePrefix } from "../net/prefix.ts";
import { labelLimits } from "../openings/label-limits.ts";
import { lineCap } from "./wire.ts";

/**
 * What one container may be in a report. An agent keeps to these before it sends (see `report.ts`), so that a strange
 * container can't cost a host its connection; a controller that sees more sees no honest agent.
 */
export const reportCaps = {
  name: 256,
  image: 512,
  labels: labelLimits.labels,
  /** One more than is read, so that what is too long is refused for it. */
  labelKey: labelLimits.key + 1,
  label: labelLimits.value + 1,
  /** Of all labels as JSON: characters that are escaped take six. */
  labelBytes: 40_960,
  ports: 64,
  endpoints: 64,
} as const;

/** Containers in one frame; the line's cap is reached first by any but tiny ones. */
const most = 512;

const counter = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const milliseconds = z.number().min(0).max(8.64e15);
const short = z.string().max(64);
const base64 = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z0-9+/]+=*$/);
const containerId = z.string().regex(/^[0-9a-f]{64}$/);
const port = z.int().min(1).max(65_535);

const declaredPorts = z
  .array(
    z.strictObject({
      transport: z.enum(["tcp", "udp", "sctp"]),
      ports: z.strictObject({ first: port, last: port }).refine((range) => range.first <= range.last),
    }),
  )
  .max(reportCaps.ports);

const labels = z
  .record(z.string().startsWith("sixgate.").max(reportCaps.labelKey), z.string().max(reportCaps.label))
  .refine((each) => Object.keys(each).length <= reportCaps.labels, `More than ${reportCaps.labels} labels`);

const canonicalAddress = z.custom<Address>(
  (value) => typeof value === "string" && parseAddress(value) === value,
  "Not an IPv6 address in the form of RFC 5952",
);

/** See `ContainerReport`. */
const containerReport = z.strictObject({
  id: containerId,
  name: z.string().max(reportCaps.name),
  project: z.string().max(reportCaps.name).exactOptional(),
  service: z.string().max(reportCaps.name).exactOptional(),
  image: z.string().max(reportCaps.image),
  imageId: z.string().max(reportCaps.image).exactOptional(),
  mode: z.enum(["bridge", "container", "host", "none"]),
  sharesWith: z.string().max(reportCaps.name).exactOptional(),
  state: z.enum(["starting", "running", "paused"]),
  labels,
  imageLabels: labels,
  published: declaredPorts,
  exposed: declaredPorts,
  endpoints: z
    .array(
      z.strictObject({
        network: z.string().max(reportCaps.name),
        networkId: containerId,
        address: canonicalAddress,
      }),
    )
    .max(reportCaps.endpoints),
});

const put = z.array(containerReport).max(most);
const engineFacts = { engine: short, api: short };

/** What an agent says. `s` counts reports, from 1, over the life of the agent's process: each one is one more than the last. */
const agentFrame = z.discriminatedUnion("t", [
  /** First of a connection. `epoch` is random for each start of an agent; `s` is the last number it used; `at` its clock. */
  z.strictObject({
    t: z.literal("hello"),
    epoch: z.string().regex(/^[0-9a-f]{32}$/),
    s: counter,
    version: short,
    ...engineFacts,
    at: milliseconds,
  }),
  /** A snapshot begins: what is known of this host is worth nothing from here on. */
  z.strictObject({ t: z.literal("begin"), s: counter, ...engineFacts }),
  z.strictObject({ t: z.literal("part"), s: counter, put }),
  /** It is whole when as many containers came. */
  z.strictObject({ t: z.literal("end"), s: counter, count: counter }),
  /** `at`: the engine's time of the first event behind it, milliseconds since 1970. */
  z.strictObject({
    t: z.literal("delta"),
    s: counter,
    at: milliseconds.exactOptional(),
    put,
    gone: z.array(containerId).max(most),
  }),
  /** A sign of life; `s` is the last number used. */
  z.strictObject({ t: z.literal("beat"), s: counter, at: milliseconds }),
  /** Answers `there`. */
  z.strictObject({ t: z.literal("here"), n: counter }),
  /** Wants a certificate for a new key. `proof` is that key's signature, see `proofText`. */
  z.strictObject({ t: z.literal("renew"), key: base64, proof: base64 }),
  z.strictObject({ t: z.literal("bye") }),
]);

export type AgentFrame = z.output<typeof agentFrame>;

/** Why a connection ends. */
export const byeReasons = [
  "revoked",
  "clone",
  "replay",
  "malformed",
  "flood",
  "late",
  "expired",
  "not-yet-valid",
  "unknown",
  "replaced",
  "moved",
  "stopping",
  "token",
  "failed",
] as const;

export type ByeReason = (typeof byeReasons)[number];

const pem = z.string().max(8192);
const bye = z.strictObject({
  t: z.literal("bye"),
  reason: z.enum(byeReasons),
  text: z.string().max(512),
  at: milliseconds,
});

/** What a controller says to an agent. `at` is its clock. */
const controllerFrame = z.discriminatedUnion("t", [
  /** Answers `hello`. `block`: addresses outside it are none of its business. `beat`: seconds between signs of life. */
  z.strictObject({
    t: z.literal("welcome"),
    host: z.custom<HostName>((value) => typeof value === "string" && isName(value)),
    block: z.custom<Prefix>((value) => typeof value === "string" && parsePrefix(value) === value),
    beat: z.int().min(1).max(3600),
    ends: milliseconds,
    at: milliseconds,
  }),
  z.strictObject({ t: z.literal("ack"), s: counter }),
  /** Wants a snapshot. */
  z.strictObject({ t: z.literal("resync") }),
  /** Are you still there? Somebody else says to be you. */
  z.strictObject({ t: z.literal("there"), n: counter }),
  z.strictObject({ t: z.literal("renewed"), certificate: pem, ends: milliseconds }),
  bye,
]);

export type ControllerFrame = z.output<typeof controllerFrame>;

/** The only thing that is said to `sixgate-enrol/1`. */
const enrolFrame = z.strictObject({
  t: z.literal("enrol"),
  id: z.string().max(64),
  secret: z.string().max(64),
  key: base64,
  proof: base64,
});

export type EnrolFrame = z.output<typeof enrolFrame>;

/** And what is answered. */
const enrolledFrame = z.discriminatedUnion("t", [
  z.strictObject({
    t: z.literal("enrolled"),
    host: z.custom<HostName>((value) => typeof value === "string" && isName(value)),
    certificate: pem,
    ends: milliseconds,
  }),
  bye,
]);

export type EnrolledFrame = z.output<typeof enrolledFrame>;

/** A line that is no frame: `text` says why, for a log. It may quote what came. */
export class Malformed extends Error {
  constructor(text: string, options?: ErrorOptions) {
    super(text, options);
    this.name = "Malformed";
  }
}

function reader<T>(schema: z.ZodType<T>): (line: string) => T {
  return (line) => {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new Malformed("Not JSON", { cause });
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new Malformed(`${issue?.path.map(String).join(".") ?? ""}: ${issue?.message ?? "not a frame"}`.slice(0, 300));
  };
}

export const readAgentFrame: (line: string) => AgentFrame = reader(agentFrame);
export const readControllerFrame: (line: string) => ControllerFrame = reader(controllerFrame);
export const readEnrolFrame: (line: string) => EnrolFrame = reader(enrolFrame);
export const readEnrolledFrame: (line: string) => EnrolledFrame = reader(enrolledFrame);

/** A frame as a line. Reports go through `snapshotLines` and `deltaLines`, which keep to the line's cap. */
export function frameLine(frame: AgentFrame | ControllerFrame | EnrolFrame | EnrolledFrame): string {
  return `${JSON.stringify(frame)}\n`;
}

/** Bytes that a report may take in a line beside everything else that a frame holds. */
const room = lineCap - 512;

/** An id in quotes with its comma. */
const goneBytes = 67;

/** Texts of JSON in groups that fit into a line, and are few enough. */
function* grouped(texts: Iterable<string>): Generator<readonly string[]> {
  let group: string[] = [];
  let size = 0;
  for (const text of texts) {
    const bytes = Buffer.byteLength(text) + 1;
    if (group.length === most || size + bytes > room) {
      if (group.length > 0) yield group;
      group = [];
      size = 0;
    }
    group.push(text);
    size += bytes;
  }
  if (group.length > 0) yield group;
}

/** A report as JSON, written once however often it is sent. */
export type ReportText = string;

/**
 * A snapshot as lines. `next` gives the number of each. The reports are texts of JSON already: an agent keeps them, and
 * nothing is written twice.
 */
export function* snapshotLines(
  reports: Iterable<ReportText>,
  facts: { readonly engine: string; readonly api: string },
  next: () => number,
): Generator<string> {
  yield frameLine({ t: "begin", s: next(), ...facts });
  let count = 0;
  for (const group of grouped(reports)) {
    count += group.length;
    yield `{"t":"part","s":${next()},"put":[${group.join(",")}]}\n`;
  }
  yield frameLine({ t: "end", s: next(), count });
}

/**
 * A delta as lines: one, unless much changed at once. Only in one line are what goes and what comes one step, so an
 * address that changed hands is never without an owner, nor with two.
 */
export function* deltaLines(
  reports: readonly ReportText[],
  gone: readonly string[],
  at: number | undefined,
  next: () => number,
): Generator<string> {
  const time = at === undefined ? "" : `"at":${at},`;
  const line = (out: readonly string[], put: readonly string[]): string =>
    `{"t":"delta","s":${next()},${time}"gone":${JSON.stringify(out)},"put":[${put.join(",")}]}\n`;
  const bytes = reports.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, gone.length * goneBytes);
  if (bytes <= room && reports.length <= most && gone.length <= most) {
    yield line(gone, reports);
    return;
  }
  for (let n = 0; n < gone.length; n += most) yield line(gone.slice(n, n + most), []);
  for (const group of grouped(reports)) yield line([], group);
}
