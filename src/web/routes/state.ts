import { z } from "@hono/zod-openapi";
import { turned } from "../answer.ts";
import { eventStream } from "../event-stream.ts";
import { jsonRoute, type Route, streamRoute } from "../route.ts";
import { statusShape } from "../schema.ts";

/** More than pages and watchers need; each holds a connection and may hold some megabytes. */
const mostListeners = 64;

const eventKinds = ["opened", "closed", "refused", "agent", "alarm", "gateway", "plan", "denied"] as const;
const kindsQuery = z
  .string()
  .max(100)
  .transform((text, context): ReadonlySet<string> => {
    const kinds = text.split(",");
    if (kinds.every((kind) => eventKinds.some((each) => each === kind))) return new Set(kinds);
    context.addIssue({
      code: "custom",
      message: `Not kinds of events: ${JSON.stringify(text)}`,
      params: { fix: `name some of ${eventKinds.join(",")}` },
    });
    return z.NEVER;
  })
  .openapi({
    type: "string",
    description: "Kinds, with commas between; all but denied by default",
    example: "opened,closed",
  });
const usualKinds: ReadonlySet<string> = new Set(eventKinds.filter((kind) => kind !== "denied"));

export const stateRoutes: readonly Route[] = [
  streamRoute({
    method: "get",
    path: "/healthz",
    role: "anyone",
    summary: "That the controller's process answers; nothing else",
    type: "text/plain; charset=utf-8",
    run: () => "ok\n",
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/status",
    role: "viewer",
    summary: "How the controller is: what is open, its agents, the gateway, its journal, its latency",
    format: "status/1",
    answer: statusShape,
    run: ({ api }) => api.controller.status(),
  }),
  streamRoute({
    method: "get",
    path: "/metrics",
    role: "viewer",
    summary: "Metrics in Prometheus' text format",
    type: "text/plain; version=0.0.4; charset=utf-8",
    run: ({ api }) => api.metrics.text(),
  }),
  streamRoute({
    method: "get",
    path: "/api/v1/events",
    role: "viewer",
    summary: "What happens, as server-sent events; goes on behind Last-Event-ID where that is still known",
    query: z.strictObject({
      kinds: kindsQuery.optional(),
      host: z.string().max(64).optional().openapi({ description: "Of that host, and of none in particular" }),
    }),
    type: "text/event-stream",
    run: (call) => {
      if (call.api.events.listeners >= mostListeners)
        throw turned(503, "E965", "events", `${mostListeners} event streams are open`, "end one that nobody reads");
      const { kinds = usualKinds, host } = call.query;
      return eventStream(call.api.events, {
        after: call.header("last-event-id"),
        wants: (event) =>
          kinds.has(event.kind) && (host === undefined || event.host === undefined || event.host === host),
        alive: () => call.alive(),
      });
    },
  }),
];
