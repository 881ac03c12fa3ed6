import { z } from "@hono/zod-openapi";
import { seconds } from "../../base/time.ts";
import type { OpeningView, RefusalView, SuggestionView } from "../../controller/controller.ts";
import { parseAddress } from "../../net/address.ts";
import { contains, type Prefix, parsePrefix, prefixOf } from "../../net/prefix.ts";
import type { Service } from "../../openings/opening.ts";
import { readPorts } from "../../openings/ports.ts";
import { formatService, mergeServices } from "../../openings/services.ts";
import { turned } from "../answer.ts";
import type { Api } from "../api.ts";
import { sourcesOf } from "../ask-from.ts";
import { type ByHost, type Page, pageOf, pageQuery, pageShape } from "../page.ts";
import { jsonRoute, personOf, type Route } from "../route.ts";
import { openingSchema, refusalSchema, suggestionSchema } from "../schema.ts";

const hostQuery = z.string().max(64).optional().openapi({ description: "Of that host only" });
const containerQuery = z.string().max(256).optional().openapi({ description: "Of the container of that name or id" });

/** `443`, `53/tcp+udp`, `8000-8099` or `ping`: a word of a label's list, less `published`. */
const serviceText = z
  .string()
  .max(32)
  .transform((text, context): readonly Service[] => {
    const read = readPorts(text);
    if ("value" in read && read.value.kind === "services") return read.value.services;
    const { text: message, fix } =
      "value" in read ? { text: "Only labels open what is published", fix: "name the ports" } : read;
    context.addIssue({ code: "custom", message, params: { fix } });
    return z.NEVER;
  })
  .openapi({ type: "string", example: "443/tcp" });

const withinQuery = z
  .string()
  .max(64)
  .transform((text, context): Prefix => {
    const address = parseAddress(text);
    const within = address === undefined ? parsePrefix(text) : prefixOf(address, 128);
    if (within !== undefined) return within;
    context.addIssue({ code: "custom", message: `Not an IPv6 address or prefix: ${JSON.stringify(text)}` });
    return z.NEVER;
  })
  .openapi({ type: "string", description: "With an address in that prefix" });

const because = z.string().trim().min(1).max(500).openapi({ description: "Stands in the journal" });

type Of = { readonly host?: string | undefined; readonly container?: string | undefined };

/** The hosts that a filter leaves, without looking into any of them. */
function hostsOf(api: Api, query: Of): ByHost<unknown>["hosts"] {
  const hosts = api.controller.hosts();
  return query.host === undefined ? hosts : hosts.filter((host) => host === query.host);
}

function isOf(entry: { readonly container?: { readonly id: string; readonly name: string } }, query: Of): boolean {
  return (
    query.container === undefined ||
    entry.container?.name === query.container ||
    entry.container?.id === query.container
  );
}

/** The page, or 400 where `after` is none of ours. */
function paged<T>(list: ByHost<T>, query: { readonly limit: number; readonly after?: string | undefined }): Page<T> {
  const page = pageOf(list, query.limit, query.after);
  if (page !== undefined) return page;
  throw turned(400, "E955", "query.after", "Not a place that a page gave", "take `next` of the page before, as it is");
}

function openingOf(api: Api, id: string): OpeningView {
  const found = api.controller.opening(id);
  if (found !== undefined) return found;
  throw turned(
    404,
    "E960",
    `opening ${id}`,
    "No opening has this id",
    "it may be closed already: `sixgate openings` lists what is open",
  );
}

const idParams = z.object({ id: z.string().min(1).max(200) });

export const openingRoutes: readonly Route[] = [
  jsonRoute({
    method: "get",
    path: "/api/v1/openings",
    role: "viewer",
    summary: "What is open, in order of host and id",
    query: z.strictObject({
      ...pageQuery,
      host: hostQuery,
      container: containerQuery,
      within: withinQuery.optional(),
      state: z.enum(["open", "held"]).optional(),
      by: z.enum(["label", "person", "fleet"]).optional().openapi({ description: "By who asked" }),
    }),
    format: "openings/1",
    answer: pageShape(openingSchema),
    run: ({ api, query }) => ({
      ...paged<OpeningView>(
        {
          hosts: hostsOf(api, query),
          of: (host) => api.controller.openings(host),
          key: (opening) => opening.id,
          wants: (opening) =>
            isOf(opening, query) &&
            (query.state === undefined || opening.state === query.state) &&
            (query.by === undefined || opening.askedBy.kind === query.by) &&
            (query.within === undefined || contains(query.within, opening.to)),
        },
        query,
      ),
    }),
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/openings/{id}",
    role: "viewer",
    summary: "One opening",
    params: idParams,
    format: "opening/1",
    answer: { opening: openingSchema },
    run: ({ api, params }) => ({ opening: openingOf(api, params.id) }),
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/openings",
    role: "operator",
    summary: "Open for some time, with a reason; answers when it is in force",
    body: z.strictObject({
      to: z.string().min(1).max(300).openapi({ description: "host/container, or an address in a host's block" }),
      services: z.array(serviceText).min(1).max(64),
      from: z
        .array(z.string().min(1).max(64))
        .min(1)
        .max(64)
        .openapi({ description: "any, a group of the fleet file, a prefix or an address", example: ["office"] }),
      seconds: z
        .number()
        .int()
        .min(1)
        .max(366 * 86_400)
        .openapi({ description: "How long; the policy has a limit" }),
      reason: because,
    }),
    format: "opened/1",
    answer: { entries: z.array(openingSchema).readonly() },
    run: async (call) => ({
      entries: await call.api.controller.open(personOf(call), {
        to: call.body.to,
        services: mergeServices(call.body.services.flat()),
        from: sourcesOf(call.body.from, call.api.controller.basis().fleet, "body.from"),
        lasts: seconds(call.body.seconds),
        reason: call.body.reason,
      }),
    }),
  }),
  jsonRoute({
    method: "post",
    path: "/api/v1/openings/{id}/close",
    role: "operator",
    summary: "Close what a person opened; answers when it is closed and its live connections are cut",
    params: idParams,
    body: z.strictObject({ reason: because }),
    format: "closed/1",
    answer: { opening: openingSchema },
    run: async (call) => {
      const opening = openingOf(call.api, call.params.id);
      await call.api.controller.close(personOf(call), opening.id, call.body.reason);
      return { opening };
    },
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/refusals",
    role: "viewer",
    summary: "What was asked for and refused, each with its code and a fix",
    query: z.strictObject({ ...pageQuery, host: hostQuery, container: containerQuery }),
    format: "refusals/1",
    answer: pageShape(refusalSchema),
    run: ({ api, query }) => ({
      ...paged<RefusalView>(
        {
          hosts: hostsOf(api, query),
          of: (host) => api.controller.refusals(host),
          key: (each) => [each.container.id, each.to ?? "", each.at, each.text, each.code].join("\0"),
          wants: (each) => isOf(each, query),
        },
        query,
      ),
    }),
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/suggestions",
    role: "viewer",
    summary: "Ports that images declare or that are published, and nobody asked to open",
    query: z.strictObject({ ...pageQuery, host: hostQuery, container: containerQuery }),
    format: "suggestions/1",
    answer: pageShape(suggestionSchema),
    run: ({ api, query }) => ({
      ...paged<SuggestionView>(
        {
          hosts: hostsOf(api, query),
          of: (host) => api.controller.suggestions(host),
          key: (each) =>
            [each.container.id, each.address, formatService({ kind: "ports", ...each }), each.declared].join("\0"),
          wants: (each) => isOf(each, query),
        },
        query,
      ),
    }),
  }),
];
