import { z } from "@hono/zod-openapi";
import { addressSchema, timeSchema } from "../schema.ts";

const name = z.string();
const prefix = z.string().openapi({ description: "An IPv6 prefix", example: "2001:db8:1234:321d:20::/76" });
const count = z.number().int();

const dotSchema = z
  .object({
    address: addressSchema,
    name: name.openapi({ description: "As the host says it: any text; empty where nobody said" }),
    state: z.enum(["reported", "reserved", "unseen"]).openapi({
      description:
        "reported: an agent said so; reserved: the fleet file keeps it; unseen: an opening has it, and nobody else",
    }),
    network: name.openapi({ description: "Empty: in none of the host's networks" }),
    openings: z
      .array(
        z.object({
          id: z.string(),
          service: z.string(),
          state: z.enum(["open", "held"]),
          by: z.enum(["label", "person", "fleet"]),
          from: z.array(name).readonly().openapi({ description: "Names of sources" }),
          proof: z
            .enum(["proved", "failing", "unproved"])
            .openapi({ description: "By checks of the last 15 minutes with packets" }),
        }),
      )
      .readonly()
      .openapi({ description: "64 at most" }),
    refusals: z
      .array(z.object({ text: z.string(), code: z.string(), why: z.string(), fix: z.string() }))
      .readonly()
      .openapi({ description: "16 at most" }),
  })
  .openapi("ContainerDot");

const branchSchema = z
  .object({
    name,
    bridge: z.string().openapi({ description: "A bridge's id" }),
    slot: count,
    block: prefix,
    address: addressSchema,
    agent: z.enum(["never", "connected", "silent", "stale", "revoked"]),
    seen: timeSchema.optional(),
    openings: count,
    held: count.openapi({ description: "Of the openings: found on the gateway, the host has not reported yet" }),
    proved: count.openapi({ description: "Of the openings: a packet came through in the last 15 minutes" }),
    failing: count.openapi({ description: "Of the openings: a packet did not come through in the last 15 minutes" }),
    provedFrom: z.record(z.string(), count).openapi({ description: "Proved openings by source" }),
    refusals: count,
    from: z.record(z.string(), count).openapi({ description: "Openings by source" }),
    networks: z.array(z.object({ name, prefix, containers: count, openings: count, proved: count })).readonly(),
    containers: count,
    dots: z
      .array(dotSchema)
      .readonly()
      .optional()
      .openapi({ description: "Absent where there are too many to draw: ask for the host" }),
  })
  .openapi("HostBranch");

export const deniedSchema = z
  .object({
    from: prefix.openapi({ description: "The sender's /64" }),
    example: addressSchema,
    to: addressSchema,
    transport: z.string(),
    port: count.optional(),
    count,
    last: timeSchema,
    source: name,
    host: name.optional().openapi({ description: "Whose block it went to" }),
    container: name.optional().openapi({ description: "What has that address, as the host says it; GET /denied only" }),
  })
  .openapi("DeniedFlow", { description: "Dropped in the last five minutes, as far as the gateway told of it" });

export const topologyShape = {
  fleet: name,
  delegated: prefix,
  gateway: z.object({
    name,
    kind: name,
    uplink: name,
    hosts: name,
    nextHop: addressSchema,
    reached: z.boolean(),
    error: z.string().optional(),
    drift: count,
  }),
  sources: z
    .array(
      z.object({
        kind: z.enum(["internet", "group", "host", "prefix"]),
        name,
        prefixes: z.array(prefix).readonly(),
      }),
    )
    .readonly(),
  bridges: z.array(z.object({ id: z.string(), name, hypervisor: name.optional() })).readonly(),
  hosts: z.array(branchSchema).readonly(),
  denied: z.array(deniedSchema).readonly(),
};

const shape = z.object(topologyShape);
export type TopologyView = z.input<typeof shape>;
export type HostBranch = z.input<typeof branchSchema>;
export type ContainerDot = z.input<typeof dotSchema>;
export type DeniedFlow = z.input<typeof deniedSchema>;
