import { z } from "@hono/zod-openapi";
import { transports } from "../net/transport.ts";
import { roles } from "./role.ts";

// What the API says, one schema per view of the controller's contract. A route's answer has to fit its schema for the
// compiler, and in the tests for zod.

export const timeSchema = z.number().int().openapi({ description: "Milliseconds since 1970-01-01 UTC" });
const hostSchema = z.string().openapi({ description: "A host's name in the fleet file", example: "vm1" });
export const addressSchema = z.string().openapi({ format: "ipv6", example: "2001:db8:1234:321d:23::80" });
const prefixSchema = z
  .string()
  .openapi({ description: "An IPv6 prefix; anywhere is ::/0", example: "2001:db8:aaaa::/48" });
const codeSchema = z.string().openapi({ description: "A code of docs/reference/codes.md", example: "E955" });
const transportSchema = z.enum(transports);
const portsSchema = z.object({ first: z.number().int(), last: z.number().int() }).openapi("PortRange");

export const serviceSchema = z
  .union([
    z.object({ kind: z.literal("ports"), transport: transportSchema, ports: portsSchema }),
    z.object({ kind: z.literal("ping") }),
  ])
  .openapi("Service");

const containerNameSchema = z
  .object({
    id: z.string().openapi({ description: "The engine's id, 64 hex digits" }),
    name: z.string().openapi({ description: "As the host says it: any text" }),
  })
  .openapi("ContainerName");

export const openingSchema = z
  .object({
    id: z.string(),
    host: hostSchema,
    container: containerNameSchema.optional(),
    to: addressSchema,
    service: serviceSchema,
    from: z.array(prefixSchema).readonly(),
    state: z
      .enum(["open", "held"])
      .openapi({ description: "held: found on the gateway, its host has not reported yet" }),
    askedBy: z.object({ kind: z.enum(["label", "person", "fleet"]), name: z.string(), text: z.string() }),
    reason: z.string().optional(),
    grantedBy: z.string().openapi({ description: "The policy's rule; fleet.yaml for an opening of the file" }),
    since: timeSchema,
    ends: timeSchema.optional(),
  })
  .openapi("Opening");

export const refusalSchema = z
  .object({
    host: hostSchema,
    container: containerNameSchema,
    to: addressSchema.optional(),
    at: z.string().openapi({ description: "Where it was asked", example: "sixgate.open rule 2 column 4" }),
    text: z.string().openapi({ description: "The label's rule, as it was written" }),
    code: codeSchema,
    why: z.string(),
    fix: z.string(),
    since: timeSchema,
  })
  .openapi("Refusal");

export const suggestionSchema = z
  .object({
    host: hostSchema,
    container: containerNameSchema,
    address: addressSchema,
    transport: transportSchema,
    ports: portsSchema,
    declared: z.enum(["exposed", "published"]),
    label: z.string().openapi({ description: "What to write in the container's labels to ask for it" }),
  })
  .openapi("Suggestion");

export const agentSchema = z
  .object({
    host: hostSchema,
    state: z.enum(["never", "connected", "silent", "stale", "revoked"]),
    seen: timeSchema.optional(),
    version: z.string().optional(),
    engine: z.string().optional(),
    containers: z.number().int(),
    certificateEnds: timeSchema.optional(),
  })
  .openapi("Agent");

const declaredSchema = z.object({ transport: transportSchema, ports: portsSchema });

export const containerSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    project: z.string().optional(),
    service: z.string().optional(),
    image: z.string(),
    mode: z.enum(["bridge", "container", "host", "none"]),
    sharesWith: z.string().optional(),
    state: z.enum(["starting", "running", "paused"]),
    labels: z.record(z.string(), z.string()),
    imageLabels: z.record(z.string(), z.string()),
    published: z.array(declaredSchema).readonly(),
    exposed: z.array(declaredSchema).readonly(),
    endpoints: z.array(z.object({ network: z.string(), networkId: z.string(), address: addressSchema })).readonly(),
  })
  .openapi("Container", { description: "What a host's agent last said of a container. Nothing in it is trusted" });

export const statusShape = {
  fleet: z.string(),
  version: z.string(),
  started: timeSchema,
  complete: z.boolean().openapi({ description: "Every host that held openings has reported or gone stale" }),
  gateway: z.object({ reached: z.boolean(), error: z.string().optional(), drift: z.number().int() }),
  openings: z.number().int(),
  refusals: z.number().int(),
  agents: z.object({ all: z.number().int(), connected: z.number().int() }),
  journal: z.object({ entries: z.number().int(), head: z.string() }),
  latency: z
    .object({ count: z.number().int(), p50: z.number().optional(), p99: z.number().optional() })
    .openapi({ description: "Milliseconds from the engine's event to the element in force: of the last 1,000" }),
};

export const journalEntrySchema = z
  .object({
    sequence: z.number().int(),
    at: timeSchema,
    who: z.string(),
    what: z.string(),
    detail: z.record(z.string(), z.unknown()),
    hash: z.string().openapi({ description: "SHA-256 in hex over the previous hash and this entry" }),
  })
  .openapi("JournalEntry");

export const tokenSchema = z
  .object({
    name: z.string(),
    role: z.enum(roles),
    made: timeSchema,
    by: z.string(),
    ends: timeSchema.optional(),
  })
  .openapi("Token");

const errorSchema = z.object({
  code: codeSchema,
  severity: z.enum(["error", "warning"]),
  at: z.string().openapi({ description: "Where: a field of the request, a device, a host" }),
  text: z.string(),
  fix: z.string(),
});

export const errorsSchema = z
  .object({ format: z.literal("sixgate.error/1"), errors: z.array(errorSchema).readonly() })
  .openapi("Errors");
