import { z } from "@hono/zod-openapi";
import type { Diagnostic } from "../base/diagnostic.ts";
import type { Person } from "../controller/controller.ts";
import { Turned } from "./answer.ts";
import type { Api } from "./api.ts";
import type { Role } from "./role.ts";
import type { Bearer } from "./token-book.ts";

/** One request, after it was let in. `bearer` is undefined on a route for anyone only. */
export type Call = {
  readonly api: Api;
  readonly bearer: Bearer | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly body: unknown;
  header(name: string): string | undefined;
  /** Whether whoever asked may still ask: for answers that last. */
  alive(): Promise<boolean>;
  /** Counts a wrong token or code against where it came from. */
  loginFailed(): void;
  /** Headers of the answer, beside those that every answer has. */
  set(name: string, value: string): void;
};

/** A request whose parts were read by their schemas. */
export type Asked<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> = Call & {
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly body: z.output<B>;
};

type Method = "get" | "post";

/** What the router, the OpenAPI document and the table of the tests need of a route. */
export type Route = {
  readonly method: Method;
  /** In OpenAPI's notation: `/api/v1/openings/{id}`. */
  readonly path: string;
  /** The least role; `anyone` needs no token. */
  readonly role: Role | "anyone";
  readonly summary: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  /** Only of a `post`. */
  readonly body: z.ZodObject;
  readonly type: string;
  readonly answer: z.ZodType;
  run(call: Call): Promise<Response>;
};

type Spec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodObject> = {
  readonly method: Method;
  readonly path: string;
  readonly role: Role | "anyone";
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
};

const nothing: z.ZodObject<Record<never, never>, z.core.$strict> = z.strictObject({});
type Nothing = typeof nothing;

/**
 * A route that answers with one JSON document: `answer`, under the name and version that `format` gives it. Nothing is
 * read that its schemas do not name.
 */
export function jsonRoute<
  A extends z.ZodRawShape,
  P extends z.ZodObject = Nothing,
  Q extends z.ZodObject = Nothing,
  B extends z.ZodObject = Nothing,
>(
  spec: Spec<P, Q, B> & {
    /** `openings/1`: goes out as `sixgate.openings/1`. */
    readonly format: string;
    readonly answer: A;
    readonly run: (asked: Asked<P, Q, B>) => Answer<A> | Promise<Answer<A>>;
  },
): Route {
  const { run, format: short, answer, ...rest } = spec;
  const format = `sixgate.${short}`;
  return {
    params: nothing,
    query: nothing,
    body: nothing,
    ...rest,
    type: "application/json",
    answer: z.object({ format: z.literal(format), ...answer }).openapi(nameOf(short)),
    run: async (call) => Response.json({ format, ...(await run(readCall(spec, call))) }),
  };
}

type Answer<A extends z.ZodRawShape> = z.input<z.ZodObject<A>>;

/** The schema's name in the OpenAPI document: `token-made/1` is `TokenMadeAnswer`. */
function nameOf(format: string): string {
  const words = format.replace(/\/.*$/, "").split("-");
  return `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("")}Answer`;
}

/** A route that answers with text of another type, or with a stream. */
export function streamRoute<P extends z.ZodObject = Nothing, Q extends z.ZodObject = Nothing>(
  spec: Spec<P, Q, Nothing> & {
    readonly type: string;
    readonly answer?: z.ZodType;
    readonly run: (
      asked: Asked<P, Q, Nothing>,
    ) => string | ReadableStream<Uint8Array> | Promise<string | ReadableStream<Uint8Array>>;
  },
): Route {
  const { run, ...rest } = spec;
  return {
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.string(),
    ...rest,
    run: async (call) => new Response(await run(readCall(spec, call)), { headers: { "content-type": spec.type } }),
  };
}

/** Who asks. On a route for anyone there is nobody, and no route of that kind asks. */
export function personOf(call: Call): Person {
  if (call.bearer === undefined) throw new Error("A route for anyone asked who it is");
  return call.bearer.person;
}

function readCall<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodObject>(
  spec: Spec<P, Q, B>,
  call: Call,
): Asked<P, Q, B> {
  const errors: Diagnostic[] = [];
  const params = readPart(spec.params ?? nothing, call.params, "path", errors);
  const query = readPart(spec.query ?? nothing, call.query, "query", errors);
  const body = spec.method === "get" ? {} : readPart(spec.body ?? nothing, call.body, "body", errors);
  if (errors.length > 0) throw new Turned(400, errors);
  // Each was read by the schema that its type comes from.
  return { ...call, params, query, body } as Asked<P, Q, B>;
}

function readPart(schema: z.ZodObject, value: unknown, at: string, errors: Diagnostic[]): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  errors.push(...parsed.error.issues.map((issue) => describe(issue, at)));
  return undefined;
}

/** Zod's own words; a schema that knows the fix gives it as `params.fix`, and a code of its own as `params.code`. */
function describe(issue: z.core.$ZodIssue, at: string): Diagnostic {
  const params = issue.code === "custom" ? issue.params : undefined;
  return {
    code: "E955",
    severity: "error",
    at: [at, ...issue.path.map(String)].join("."),
    text: issue.message,
    fix: typeof params?.["fix"] === "string" ? params["fix"] : "GET /api/v1/openapi.json says what each request takes",
  };
}
