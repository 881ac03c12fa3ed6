import { z } from "@hono/zod-openapi";
import { idsQuery } from "../ids-query.ts";
import { jsonRoute, type Route } from "../route.ts";
import { timeSchema } from "../schema.ts";

const countersSchema = z
  .object({
    id: z.string(),
    packets: z.number().int().optional().openapi({
      description:
        "Packets that began a flow and were let to the policy's ceiling, since the gateway has the opening; absent: not known",
    }),
    bytes: z.number().int().optional().openapi({ description: "Of these packets" }),
    at: timeSchema.optional().openapi({ description: "When they were read" }),
    why: z.string().optional().openapi({ description: "Why they are not known" }),
  })
  .openapi("Counters");

export type Counters = z.output<typeof countersSchema>;

export const trafficRoute: Route = jsonRoute({
  method: "get",
  path: "/api/v1/traffic",
  role: "viewer",
  summary: "What the gateway has counted at openings, read from it at most every five seconds",
  query: z.strictObject({ ids: idsQuery }),
  format: "traffic/1",
  answer: { entries: z.array(countersSchema).readonly().openapi({ description: "Of those that are still open" }) },
  run: async ({ api: { controller, traffic }, query: { ids } }) => {
    const openings = ids.flatMap((id) => controller.opening(id) ?? []);
    const counters = await traffic.of(openings);
    return { entries: openings.map(({ id }, at) => ({ id, ...(counters[at] ?? { why: "It was not read" }) })) };
  },
});
