import { z } from "@hono/zod-openapi";
import { turned } from "../answer.ts";
import { topologyOf } from "../map/topology.ts";
import { topologyShape } from "../map/topology-schema.ts";
import { jsonRoute, type Route } from "../route.ts";

export const topologyRoute: Route = jsonRoute({
  method: "get",
  path: "/api/v1/topology",
  role: "viewer",
  summary: "The fleet from sources to containers, with what is open and what was denied lately",
  query: z.strictObject({
    host: z
      .string()
      .max(64)
      .optional()
      .openapi({ description: "That host only, with every container; else containers only while they are few" }),
  }),
  format: "topology/1",
  answer: topologyShape,
  run: ({ api, query: { host } }) => {
    const { controller, denied, probes, now } = api;
    if (host === undefined || controller.basis().plan.hosts.some((each) => each.host === host))
      return topologyOf({ controller, denied: denied.groups(now()), proofOf: (id) => probes.proofOf(id, now()), host });
    throw turned(
      404,
      "E960",
      "query.host",
      `No host ${JSON.stringify(host)} in the fleet`,
      "`sixgate status` lists the hosts",
    );
  },
});
