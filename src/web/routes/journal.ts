import { z } from "@hono/zod-openapi";
import type { Controller } from "../../controller/controller.ts";
import { journalText } from "../journal-text.ts";
import { jsonRoute, type Route, streamRoute } from "../route.ts";
import { journalEntrySchema } from "../schema.ts";

const after = z.coerce
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .openapi({ description: "Entries with a greater sequence" });

/** One walk over the whole journal at a time, whoever asks: it is long, and the answer is the same for all. */
const walks = new WeakMap<Controller, Promise<number | undefined>>();
function verified(controller: Controller): Promise<number | undefined> {
  const running = walks.get(controller);
  if (running !== undefined) return running;
  const walk = controller.verifyJournal().finally(() => walks.delete(controller));
  walks.set(controller, walk);
  return walk;
}

export const journalRoutes: readonly Route[] = [
  jsonRoute({
    method: "get",
    path: "/api/v1/journal",
    role: "viewer",
    summary: "Who did what: entries in order. Without `after` the last ones",
    query: z.strictObject({
      after: after.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    format: "journal/1",
    answer: {
      entries: z.array(journalEntrySchema).readonly(),
      all: z.number().int().openapi({ description: "Sequence of the newest entry" }),
    },
    run: async ({ api, query }) => {
      const all = api.controller.status().journal.entries;
      const from = query.after ?? Math.max(0, all - query.limit);
      return { entries: await api.controller.journal(from, query.limit), all };
    },
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/journal/verify",
    role: "viewer",
    summary: "Whether every entry fits its hash",
    format: "journal-verify/1",
    answer: {
      fits: z.boolean(),
      entries: z.number().int(),
      head: z.string(),
      broken: z.number().int().optional().openapi({ description: "The first entry that does not fit" }),
    },
    run: async ({ api }) => {
      const broken = await verified(api.controller);
      const { entries, head } = api.controller.status().journal;
      const verdict = { entries, head } as const;
      return broken === undefined ? { ...verdict, fits: true } : { ...verdict, fits: false, broken };
    },
  }),
  streamRoute({
    method: "get",
    path: "/api/v1/journal/export",
    role: "viewer",
    summary: "All entries, one JSON document a line",
    query: z.strictObject({ after: after.default(0) }),
    type: "application/x-ndjson",
    answer: journalEntrySchema,
    run: ({ api, query }) => journalText(api.controller, query.after),
  }),
];
