import { z } from "@hono/zod-openapi";
import type { HostName } from "../../base/name.ts";
import { compareKeys } from "../../base/order.ts";
import { turned } from "../answer.ts";
import type { Api } from "../api.ts";
import { jsonRoute, personOf, type Route } from "../route.ts";
import { agentSchema, containerSchema, timeSchema } from "../schema.ts";

const hostParams = z.object({ host: z.string().min(1).max(64) });

function knownHost(api: Api, text: string): HostName {
  const host = api.controller.hosts().find((each) => each === text);
  if (host !== undefined) return host;
  throw turned(
    404,
    "E960",
    "path.host",
    `No host ${JSON.stringify(text)} in the fleet`,
    "`sixgate status` lists the hosts",
  );
}

export const agentRoutes: readonly Route[] = [
  jsonRoute({
    method: "get",
    path: "/api/v1/agents",
    role: "viewer",
    summary: "The agent of every host of the fleet",
    query: z.strictObject({ state: z.enum(["never", "connected", "silent", "stale", "revoked"]).optional() }),
    format: "agents/1",
    answer: { entries: z.array(agentSchema).readonly() },
    run: ({ api, query }) => ({
      entries: api.controller
        .agents()
        .filter((agent) => query.state === undefined || agent.state === query.state)
        .toSorted((a, b) => compareKeys(a.host, b.host)),
    }),
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/hosts/{host}/containers",
    role: "viewer",
    summary: "What the host's agent last said of its containers",
    params: hostParams,
    format: "containers/1",
    answer: { entries: z.array(containerSchema).readonly() },
    run: ({ api, params }) => ({
      entries: api.controller.containers(knownHost(api, params.host)),
    }),
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/agents/{host}/invite",
    role: "admin",
    summary: "A token for one enrolment of that host, shown this once",
    params: hostParams,
    format: "invitation/1",
    answer: {
      host: z.string(),
      token: z.string().openapi({ description: "A secret" }),
      ends: timeSchema,
    },
    run: async (call) => ({
      ...(await call.api.controller.invite(personOf(call), knownHost(call.api, call.params.host))),
    }),
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/agents/{host}/revoke",
    role: "admin",
    summary: "Take the host's certificate back: its agent is let in no more",
    params: hostParams,
    body: z.strictObject({ reason: z.string().trim().min(1).max(500) }),
    format: "revoked/1",
    answer: { host: z.string() },
    run: async (call) => {
      const host = knownHost(call.api, call.params.host);
      await call.api.controller.revoke(personOf(call), host, call.body.reason);
      return { host };
    },
  }),
];
