import { OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import { roles } from "./role.ts";
import type { Route } from "./route.ts";
import { errorsSchema } from "./schema.ts";

const errorAnswer = {
  description: "Errors, each with a code and a fix",
  content: { "application/json": { schema: errorsSchema } },
};

/** The API as OpenAPI 3.1, from the same schemas that requests are read by. The same routes give the same bytes. */
export function openApiOf(routes: readonly Route[]): object {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "A token of `sixgate token create`",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "session", {
    type: "apiKey",
    in: "cookie",
    name: "__Host-sixgate",
    description: "What POST /api/v1/session sets, for the page",
  });
  for (const route of routes) app.openAPIRegistry.registerPath(pathOf(route));
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "sixgate",
      version: "1",
      description:
        "What a running controller answers. A format in an answer is NAME/VERSION: keys may be added to it, never taken away or changed.",
      license: { name: "MIT", url: "https://spdx.org/licenses/MIT.html" },
    },
    servers: [{ url: "/" }],
  });
}

function pathOf(route: Route): RouteConfig {
  const open = route.role === "anyone";
  const request: NonNullable<RouteConfig["request"]> = { params: route.params, query: route.query };
  if (route.method === "post")
    request.body = { required: true, content: { "application/json": { schema: route.body } } };
  return {
    method: route.method,
    path: route.path,
    operationId: operationOf(route),
    summary: route.summary,
    description: open ? "Needs no token." : `For ${roles.slice(roles.indexOf(route.role as never)).join(", ")}.`,
    security: open ? [] : [{ token: [] }, { session: [] }],
    request,
    responses: {
      200: { description: "Done", content: { [route.type]: { schema: route.answer } } },
      default: errorAnswer,
    },
  };
}

/** `get-openings-id`: stable, and a name in any language after a change of case. */
function operationOf(route: Route): string {
  const words = route.path.replace(/^\/api\/v1/, "").match(/[a-z]+/g) ?? [];
  return [route.method, ...words].join("-");
}
