import { z } from "@hono/zod-openapi";
import { namePattern } from "../../base/name.ts";
import { seconds } from "../../base/time.ts";
import { turned } from "../answer.ts";
import { roles } from "../role.ts";
import { jsonRoute, personOf, type Route } from "../route.ts";
import { tokenSchema } from "../schema.ts";

const day = 86_400;
const nameSchema = z.string().regex(namePattern, "Not a name: lower case letters, digits and -, 32 at most");

export const tokenRoutes: readonly Route[] = [
  jsonRoute({
    method: "get",
    path: "/api/v1/tokens",
    role: "admin",
    summary: "The API's tokens, less their secrets; those that have ended too",
    format: "tokens/1",
    answer: { entries: z.array(tokenSchema).readonly() },
    run: async ({ api }) => ({ entries: await api.tokens.list() }),
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/tokens",
    role: "admin",
    summary: "Make a token; its text is shown this once",
    body: z.strictObject({
      name: nameSchema,
      role: z.enum(roles),
      seconds: z
        .number()
        .int()
        .min(60)
        .max(366 * day)
        .default(90 * day)
        .openapi({ description: "How long it holds" }),
    }),
    format: "token-made/1",
    answer: {
      name: z.string(),
      role: z.enum(roles),
      token: z.string().openapi({ description: "A secret" }),
    },
    run: async (call) => {
      const { name, role, seconds: lasts } = call.body;
      const token = await call.api.tokens.create(name, role, personOf(call).name, seconds(lasts));
      await call.api.controller.note(personOf(call), "token made", { name, role, seconds: lasts });
      return { name, role, token };
    },
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/tokens/{name}/revoke",
    role: "admin",
    summary: "Take a token back, and every session that was begun with it",
    params: z.object({ name: z.string().min(1).max(64) }),
    format: "token-revoked/1",
    answer: { name: z.string() },
    run: async (call) => {
      const { name } = call.params;
      if (!(await call.api.tokens.revoke(name)))
        throw turned(404, "E960", "path.name", `No token ${JSON.stringify(name)}`, "`sixgate token list` shows them");
      await call.api.controller.note(personOf(call), "token revoked", { name });
      return { name };
    },
  }),
];
