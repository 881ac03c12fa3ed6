import { z } from "zod";
import { namePattern } from "../base/name.ts";
import { quote } from "../base/quote.ts";
import { type Read, type Wrong, wrong } from "../base/wrong.ts";

export type Field<T> = z.ZodType<T, unknown>;

/**
 * A scalar of the file: `read` gives the canonical value or the reason why not; `json` is its JSON Schema, for
 * editors, which may be looser. Nothing there is E111, unless the field is made optional.
 */
export function field<T>(read: (found: unknown) => Read<T>, json: Readonly<Record<string, unknown>>): Field<T> {
  const schema = z.unknown().transform((found, context): T => {
    const answer = found === undefined ? wrong("E111", "Key missing", "add it") : read(found);
    if ("value" in answer) return answer.value;
    const { code, text, fix } = answer;
    context.issues.push({ code: "custom", input: found, message: text, params: { code, fix } });
    return z.NEVER;
  });
  return schema.meta(json);
}

/**
 * A value with a short form, which is text, and a long one, which is a map. Which of the two is meant shows in its
 * kind, so that what is said of it is said of the form in use.
 */
export function shortOrLong<T, U>(short: Field<T>, long: z.ZodType<U>): Field<T | U> {
  const both = z.unknown().transform((found, context): T | U => {
    const isMap = typeof found === "object" && found !== null && !Array.isArray(found);
    const parsed = (isMap && cutAtColon(found) === undefined ? long : short).safeParse(found);
    if (parsed.success) return parsed.data;
    context.issues.push(...parsed.error.issues.map((issue) => ({ ...issue, input: found }) as z.core.$ZodRawIssue));
    return z.NEVER;
  });
  return both.meta({ anyOf: [short, long].map(jsonOf) });
}

function jsonOf(schema: z.ZodType): object {
  const json = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
  // Only the whole has a dialect, not a part of it.
  return Object.fromEntries(Object.entries(json).filter(([key]) => key !== "$schema"));
}

/** A field that is written as text: a number, a list or nothing in its place is E112. */
export function textField<T>(read: (text: string) => Read<T>, json: Readonly<Record<string, unknown>> = {}): Field<T> {
  return field((found) => (typeof found === "string" ? read(found) : notText(found)), { type: "string", ...json });
}

/** E112 for what should have been text. */
export function notText(found: unknown): Wrong {
  const cut = cutAtColon(found);
  if (cut !== undefined)
    return wrong(
      "E112",
      `Expected text, found a map: YAML reads the last colon of ${quote(cut)} as its own`,
      `quote it: "${cut}"`,
    );
  const fix = typeof found === "number" || typeof found === "boolean" ? "write it in quotes" : "write one text here";
  return wrong("E112", `Expected text, found ${kindOf(found)}`, fix);
}

/** In a flow list `[2001:db8::]` is a map with the key `2001:db8:` and nothing behind it. Gives back what was meant. */
export function cutAtColon(found: unknown): string | undefined {
  if (typeof found !== "object" || found === null || Array.isArray(found)) return undefined;
  const [[key, value] = ["", undefined], ...rest] = Object.entries(found);
  return rest.length === 0 && value === null && /^[0-9A-Fa-f:]*:$/.test(key) ? `${key}:` : undefined;
}

/** `a list`, `the number 80`: for messages. */
export function kindOf(found: unknown): string {
  if (found === null) return "nothing";
  if (Array.isArray(found)) return "a list";
  if (typeof found === "object") return "a map";
  if (typeof found === "string") return `the text ${quote(found)}`;
  return typeof found === "number" || typeof found === "boolean" ? `the ${typeof found} ${found}` : `a ${typeof found}`;
}

/** A key of a map that people choose: host, network, hypervisor. */
export const nameKey = z.string().regex(namePattern);

/** A name as a value: of something that is defined elsewhere in the file. */
export const reference: Field<string> = textField(
  (text) => (namePattern.test(text) ? { value: text } : notName(text)),
  { pattern: namePattern.source },
);

export function notName(text: string): Wrong {
  return wrong("E113", `Not a name: ${quote(text)}`, "use a-z, 0-9 and - inside, 1 to 32 characters");
}
