import { z } from "@hono/zod-openapi";

/** Openings that one request may ask for: what a screen shows. */
export const mostAsked = 100;

/** Ids of openings with commas between. */
export const idsQuery: z.ZodType<readonly string[], string> = z
  .string()
  .min(1)
  .max(20_000)
  .transform((text, context): readonly string[] => {
    const ids = [...new Set(text.split(","))];
    if (ids.length <= mostAsked) return ids;
    context.addIssue({
      code: "custom",
      message: `${ids.length} ids in one request`,
      params: { fix: `ask for ${mostAsked} at most` },
    });
    return z.NEVER;
  })
  .openapi({ type: "string", description: `Ids of openings with commas between, ${mostAsked} at most` });
