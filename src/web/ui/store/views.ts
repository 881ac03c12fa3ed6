import type { z } from "zod";
import type {
  agentSchema,
  errorsSchema,
  journalEntrySchema,
  openingSchema,
  refusalSchema,
  serviceSchema,
  suggestionSchema,
} from "../../schema.ts";

// What the API answers, by its own schemas: types only, so that nothing of the server comes along.

export type Service = z.output<typeof serviceSchema>;
export type Opening = z.output<typeof openingSchema>;
export type Refusal = z.output<typeof refusalSchema>;
export type Suggestion = z.output<typeof suggestionSchema>;
export type Agent = z.output<typeof agentSchema>;
export type JournalEntry = z.output<typeof journalEntrySchema>;
export type Trouble = z.output<typeof errorsSchema>["errors"][number];
export type Role = "viewer" | "operator" | "admin";

/** As `openings/services.ts` writes it: `443/tcp`, `8000-8099/udp`, `ping`. */
export function serviceText(service: Service): string {
  if (service.kind === "ping") return "ping";
  const { first, last } = service.ports;
  return `${first === last ? first : `${first}-${last}`}/${service.transport}`;
}

/** `anywhere`, or the prefixes. */
export function sourcesText(from: readonly string[]): string {
  return from.map((prefix) => (prefix === "::/0" ? "anywhere" : prefix)).join(", ");
}
