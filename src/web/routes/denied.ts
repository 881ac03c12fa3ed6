import { z } from "@hono/zod-openapi";
import { containerNames, deniedFlows, mostShown } from "../map/denied-flows.ts";
import { SourceNames } from "../map/sources.ts";
import { deniedSchema } from "../map/topology-schema.ts";
import { jsonRoute, type Route } from "../route.ts";

export const deniedRoute: Route = jsonRoute({
  method: "get",
  path: "/api/v1/denied",
  role: "viewer",
  summary: "What the gateway turned away in the last five minutes, alike packets together, the newest first",
  query: z.strictObject({
    host: z.string().max(64).optional().openapi({ description: "What went to that host's block only" }),
  }),
  format: "denied/1",
  answer: {
    entries: z
      .array(deniedSchema)
      .readonly()
      .openapi({ description: `${mostShown} at most` }),
    all: z.number().int().openapi({ description: "Groups there are" }),
    packets: z.number().int().openapi({ description: "In all groups. A sample: the gateway tells of some a second" }),
  },
  run: ({ api: { controller, denied, now }, query: { host } }) => {
    const { fleet, plan } = controller.basis();
    const flows = deniedFlows(denied.groups(now()), new SourceNames({ fleet, plan }), plan.hosts).filter(
      (flow) => host === undefined || flow.host === host,
    );
    const nameOf = containerNames(controller);
    return {
      entries: flows.slice(0, mostShown).map((flow) => {
        const container = nameOf(flow.host, flow.to);
        return container === undefined ? flow : { ...flow, container };
      }),
      all: flows.length,
      packets: flows.reduce((sum, { count }) => sum + count, 0),
    };
  },
});
