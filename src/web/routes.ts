import { z } from "@hono/zod-openapi";
import { openApiOf } from "./openapi.ts";
import { type Route, streamRoute } from "./route.ts";
import { agentRoutes } from "./routes/agents.ts";
import { deniedRoute } from "./routes/denied.ts";
import { journalRoutes } from "./routes/journal.ts";
import { numberRoutes } from "./routes/numbers.ts";
import { openingRoutes } from "./routes/openings.ts";
import { planRoutes } from "./routes/plan.ts";
import { probeRoutes } from "./routes/probes.ts";
import { sessionRoutes } from "./routes/session.ts";
import { stateRoutes } from "./routes/state.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { topologyRoute } from "./routes/topology.ts";
import { trafficRoute } from "./routes/traffic.ts";
import { whyRoute } from "./routes/why.ts";

const described: Route = streamRoute({
  method: "get",
  path: "/api/v1/openapi.json",
  role: "viewer",
  summary: "This API, as OpenAPI 3.1",
  type: "application/json",
  answer: z.record(z.string(), z.unknown()),
  run: () => JSON.stringify(openApi),
});

/** Every route there is. What is not in this list does not exist. */
export const routes: readonly Route[] = [
  ...stateRoutes,
  ...openingRoutes,
  trafficRoute,
  ...probeRoutes,
  whyRoute,
  topologyRoute,
  deniedRoute,
  ...numberRoutes,
  ...planRoutes,
  ...agentRoutes,
  ...journalRoutes,
  ...tokenRoutes,
  ...sessionRoutes,
  described,
];

/** Made once: it is the same for everybody. */
export const openApi: object = openApiOf(routes);
