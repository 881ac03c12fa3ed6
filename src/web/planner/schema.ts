import { z } from "@hono/zod-openapi";
import { timeSchema } from "../schema.ts";

const text = z.string();
const count = z.number().int();

const findingSchema = z
  .object({ code: text, severity: z.enum(["error", "warning"]), at: text, text, fix: text })
  .openapi("Finding");

const testSchema = z
  .object({
    at: text.openapi({ description: "Where it is written", example: "fleet.yaml:60:5 tests[0]" }),
    name: text.openapi({ example: "internet → vm1/web" }),
    what: text.openapi({ example: "80/tcp" }),
    want: z.enum(["open", "closed"]),
    passed: z.boolean(),
    because: z.array(text).readonly().openapi({ description: "Of a failure: the packet, and what decided" }),
  })
  .openapi("TestResult");

export const reviewShape = {
  file: text.openapi({ description: "The fleet file's name" }),
  text: text.openapi({ description: "The fleet file as it is on disk. It holds no secrets" }),
  findings: z.array(findingSchema).readonly().openapi({ description: "What is wrong in it, and warnings" }),
  tests: z.array(testSchema).readonly(),
  unasked: text.optional().openapi({ description: "Why tests were not asked" }),
};

export const matrixShape = {
  rules: z.enum(["loaded", "planned"]).openapi({ description: "Of the gateway as it is, or of the fleet file alone" }),
  why: text.optional().openapi({ description: "Why the loaded ones could not be read" }),
  sources: z.array(text).readonly(),
  rows: z
    .array(
      z.object({
        host: text,
        cells: z
          .array(
            z.object({
              state: z.enum(["open", "partly", "closed", "unsure", "inside"]),
              flows: z.array(text).readonly(),
              addresses: count,
              example: text.optional().openapi({ description: "For `why`", example: "[2001:db8::1]:80/tcp" }),
            }),
          )
          .readonly()
          .openapi({ description: "In the order of `sources`" }),
      }),
    )
    .readonly(),
};

const changeSchema = z.object({
  kind: z.enum(["create", "update", "delete"]),
  lines: z.array(text).readonly().openapi({ description: "The change, and below it the diff of texts" }),
});

const deviceSchema = z
  .object({
    device: text,
    layer: text,
    driver: text,
    changes: z.array(changeSchema).readonly().openapi({ description: "1,000 at most" }),
    count,
    notes: z.array(text).readonly().openapi({ description: "What stops meanwhile, and what no change can mend" }),
  })
  .openapi("DevicePlan");

export const madeSchema = z
  .object({
    hash: text.openapi({ description: "SHA-256 of all that would be changed: what apply takes" }),
    made: timeSchema,
    add: count,
    change: count,
    remove: count,
    devices: z.array(deviceSchema).readonly(),
    notes: z.array(text).readonly().openapi({ description: "Devices that were not read, warnings" }),
    stops: z
      .array(findingSchema)
      .readonly()
      .openapi({ description: "Why it can't be applied: failing tests, the guard" }),
  })
  .openapi("MadePlan");

const stepSchema = z.object({
  device: text,
  layer: text,
  changes: count,
  state: z.enum(["waiting", "applying", "confirmed", "failed"]),
  deadline: timeSchema.optional().openapi({ description: "Applied, and undone by the device itself then" }),
  asks: z.boolean().openapi({ description: "Read back as planned, and waits for somebody to confirm" }),
});

export const runSchema = z
  .object({
    hash: text,
    by: text,
    reason: text,
    began: timeSchema,
    ended: timeSchema.optional(),
    state: z.enum(["running", "applied", "failed"]),
    steps: z.array(stepSchema).readonly(),
    error: findingSchema.optional(),
  })
  .openapi("ApplyRun");

export const planShape = {
  mayApply: z.boolean().openapi({ description: "The controller was started with --may-apply" }),
  command: text.openapi({ description: "What does the same on the command line" }),
  plan: madeSchema.optional().openapi({ description: "The last one that was made" }),
  run: runSchema.optional().openapi({ description: "The last apply from here" }),
};

const review = z.object(reviewShape);
const matrix = z.object(matrixShape);
const plan = z.object(planShape);
export type ReviewView = z.input<typeof review>;
export type MatrixView = z.input<typeof matrix>;
export type PlanAnswer = z.input<typeof plan>;
export type MadePlan = z.input<typeof madeSchema>;
export type ApplyRun = z.input<typeof runSchema>;
export type ApplyStep = z.input<typeof stepSchema>;
