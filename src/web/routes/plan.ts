import { z } from "@hono/zod-openapi";
import { turned } from "../answer.ts";
import type { Api } from "../api.ts";
import type { PlanDesk } from "../planner/desk.ts";
import { matrixShape, planShape, reviewShape } from "../planner/schema.ts";
import { jsonRoute, personOf, type Route } from "../route.ts";

function deskOf(api: Api): PlanDesk {
  if (api.desk !== undefined) return api.desk;
  throw turned(404, "E991", "plan", "This controller makes no plans", "`sixgate plan` makes one");
}

export const planRoutes: readonly Route[] = [
  jsonRoute({
    method: "get",
    path: "/api/v1/review",
    role: "viewer",
    summary: "The fleet file as it is on disk, what is wrong in it, and its tests; reads no device",
    format: "review/1",
    answer: reviewShape,
    run: ({ api }) => deskOf(api).review(),
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/matrix",
    role: "viewer",
    summary: "What gets through, by source and host: proved from the gateway's rules",
    format: "matrix/1",
    answer: matrixShape,
    run: ({ api }) => deskOf(api).matrix(),
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/plan",
    role: "viewer",
    summary: "The plan that was made last, and how an apply goes",
    format: "plan-state/1",
    answer: planShape,
    run: ({ api }) => deskOf(api).answer(),
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/plan",
    role: "operator",
    summary: "Make a plan: reads every device that can be reached, changes nothing",
    format: "planned/1",
    answer: planShape,
    run: ({ api }) => deskOf(api).plan(),
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/plan/apply",
    role: "admin",
    summary: "Apply the plan that was seen, where this controller may; answers at once, `plan` events tell how it goes",
    body: z.strictObject({
      hash: z.string().length(64).openapi({ description: "Of the plan that was seen" }),
      within: z.number().int().min(10).max(3600).default(60).openapi({
        description: "Seconds until a device that was not confirmed goes back by itself",
      }),
      asks: z.boolean().default(false).openapi({ description: "Wait for a person's confirmation at each device" }),
      reason: z.string().trim().min(1).max(500).openapi({ description: "Stands in the journal" }),
    }),
    format: "applying/1",
    answer: planShape,
    run: (call) => deskOf(call.api).apply({ by: personOf(call), ...call.body }),
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/plan/confirm",
    role: "admin",
    summary: "Confirm the device that waits for it",
    format: "confirmed/1",
    answer: planShape,
    run: ({ api }) => deskOf(api).confirm(),
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/plan/undo",
    role: "admin",
    summary: "Send the device back that waits for a confirmation; ends the apply",
    format: "undone/1",
    answer: planShape,
    run: (call) => deskOf(call.api).undo(personOf(call).name),
  }),
];
