import { z } from "@hono/zod-openapi";
import { turned } from "../answer.ts";
import { noSessionCookie, readSessionCookie, sessionCookie } from "../cookie.ts";
import { roles } from "../role.ts";
import { jsonRoute, personOf, type Route } from "../route.ts";
import { codeLasts } from "../sessions.ts";

const who = { name: z.string(), role: z.enum(roles) };

/** For the page: a browser holds a session in a cookie that its scripts can't read, never a token. */
export const sessionRoutes: readonly Route[] = [
  jsonRoute({
    method: "post",
    path: "/api/v1/session",
    role: "anyone",
    summary: "Begin a session with a token, or with a code of a login link; sets the cookie",
    body: z.strictObject({ token: z.string().max(200).optional(), code: z.string().max(200).optional() }),
    format: "session/1",
    answer: who,
    run: async (call) => {
      const { token, code } = call.body;
      const bearer =
        token !== undefined
          ? await call.api.tokens.bearerOf(token)
          : code !== undefined
            ? call.api.sessions.redeem(code)
            : undefined;
      if (bearer === undefined) {
        call.loginFailed();
        throw turned(401, "E956", "session", "No token or code that holds", "take a token from `sixgate token create`");
      }
      const before = readSessionCookie(call.header("cookie"));
      if (before !== undefined) call.api.sessions.end(before);
      call.set("set-cookie", sessionCookie(call.api.sessions.begin(bearer)));
      return bearer.person;
    },
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/session",
    role: "viewer",
    summary: "Who one is",
    format: "session/1",
    answer: who,
    run: personOf,
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/session/end",
    role: "viewer",
    summary: "End the session; takes the cookie away",
    format: "session-ended/1",
    answer: {},
    run: (call) => {
      const secret = readSessionCookie(call.header("cookie"));
      if (secret !== undefined) call.api.sessions.end(secret);
      call.set("set-cookie", noSessionCookie);
      return {};
    },
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/session/code",
    role: "viewer",
    summary: "A code that begins one session of the same role within five minutes, for a link",
    format: "login-code/1",
    answer: {
      ...who,
      code: z.string().openapi({ description: "A secret: it stands behind `#code=` in the link" }),
      seconds: z.number().int().openapi({ description: "For so long, unless it is used before" }),
      page: z.boolean().openapi({ description: "There is a page: it was built" }),
      origins: z.array(z.string()).readonly().openapi({
        description: "Where browsers reach it; none: the controller listens on its unix socket only",
      }),
    },
    run: ({ api, bearer }) => {
      if (bearer === undefined) throw new Error("A code for nobody");
      const { page, origins, sessions } = api;
      return {
        ...bearer.person,
        code: sessions.code(bearer),
        seconds: codeLasts / 1000,
        page: page !== undefined,
        origins: origins(),
      };
    },
  }),
];
