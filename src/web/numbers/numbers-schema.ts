import { z } from "@hono/zod-openapi";
import { addressSchema } from "../schema.ts";

const name = z.string();
const count = z.number().int();
const prefix = z.string().openapi({ description: "An IPv6 prefix", example: "2001:db8:1234:321d:20::/76" });

const usedSchema = z
  .object({
    address: addressSchema,
    name: name.openapi({ description: "As the host says it: any text" }),
    state: z.enum(["reported", "reserved"]),
    pinned: z.boolean().openapi({ description: "The fleet file keeps the address" }),
  })
  .openapi("UsedAddress");

const conflictSchema = z
  .object({
    kind: z.enum(["twice", "taken", "outside"]).openapi({
      description:
        "twice: two containers have it; taken: it is the gateway's or the host's; outside: in another block of the fleet",
    }),
    host: name,
    container: name,
    address: addressSchema,
    other: name.optional(),
  })
  .openapi("AddressConflict");

const slotted = { slot: count, block: prefix };

export const numbersShape = {
  delegated: prefix,
  changes: z.boolean().openapi({ description: "The provider may give another prefix" }),
  lengths: z.object({ delegated: count, host: count, link: count, network: count }),
  slots: z.object({ all: count, used: count.openapi({ description: "With those of hosts that left" }) }),
  infrastructure: prefix,
  uplink: z.object({ block: prefix, link: prefix, address: addressSchema }),
  blocks: z
    .array(z.object({ host: name, ...slotted, pinned: z.boolean(), networks: count, used: count }).openapi("HostBlock"))
    .readonly()
    .openapi({ description: "In order of their slots" }),
  kept: z
    .array(z.object({ host: name, slot: count }))
    .readonly()
    .optional()
    .openapi({ description: "Numbers of hosts that left: given to nobody else. Absent where the ledger is not known" }),
  next: z.object(slotted).optional().openapi({ description: "What the next host gets" }),
  conflicts: z.array(conflictSchema).readonly().openapi({ description: "100 at most" }),
  conflictCount: count,
};

export const hostNumbersShape = {
  host: name,
  ...slotted,
  pinned: z.boolean(),
  link: z.object({ prefix, gateway: addressSchema, address: addressSchema }),
  room: z.object({ all: count, used: count }).openapi({ description: "Link and networks in the block" }),
  networks: z
    .array(
      z.object({
        name,
        index: count,
        prefix,
        gateway: addressSchema,
        pinned: z.boolean(),
        used: z.array(usedSchema).readonly(),
      }),
    )
    .readonly(),
  next: z.object({ index: count, prefix }).optional(),
  conflicts: z.array(conflictSchema).readonly(),
};

const stepSchema = z
  .object({
    what: z.enum(["prefix", "infrastructure", "uplink", "block", "kept", "free", "link", "network", "address"]),
    name,
    prefix,
  })
  .openapi("OwnerStep");

export const ownerShape = {
  address: addressSchema,
  kind: z
    .enum(["outside", "infrastructure", "gateway", "host", "bridge", "container", "reserved", "group", "kept", "free"])
    .openapi({ description: "free: in the fleet's prefix, and nothing is known to have it" }),
  text: z.string().openapi({ description: "In words; names in it are encoded" }),
  host: name.optional(),
  container: name.optional(),
  steps: z.array(stepSchema).readonly().openapi({ description: "From the whole prefix down to the address" }),
  openings: z.array(z.string()).readonly().openapi({ description: "Ids of what is open there" }),
};

const numbers = z.object(numbersShape);
const hostNumbers = z.object(hostNumbersShape);
const owner = z.object(ownerShape);
export type NumbersView = z.input<typeof numbers>;
export type HostNumbersView = z.input<typeof hostNumbers>;
export type OwnerView = z.input<typeof owner>;
export type OwnerStep = z.input<typeof stepSchema>;
export type UsedAddress = z.input<typeof usedSchema>;
export type ConflictView = z.input<typeof conflictSchema>;
