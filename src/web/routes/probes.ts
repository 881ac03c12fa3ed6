import { z } from "@hono/zod-openapi";
import type { HostName } from "../../base/name.ts";
import type { OpeningView } from "../../controller/controller.ts";
import { parseAddress } from "../../net/address.ts";
import { contains } from "../../net/prefix.ts";
import { PrefixSet } from "../../net/prefix-set.ts";
import type { Service } from "../../openings/opening.ts";
import { coverService } from "../../openings/services.ts";
import { reasons, states } from "../../probe/probe.ts";
import { turned } from "../answer.ts";
import type { Api } from "../api.ts";
import { idsQuery } from "../ids-query.ts";
import { jsonRoute, personOf, type Route } from "../route.ts";
import { timeSchema } from "../schema.ts";
import { letsIn } from "../why/ask-links.ts";
import { readVantage, type Vantage } from "../why/vantage.ts";

/** Answers that one report may have. */
export const mostAnswers = 256;

const answerSchema = z.strictObject({
  to: z.string().max(64).openapi({ format: "ipv6", description: "An address of the fleet's prefix" }),
  transport: z.enum(["tcp", "udp", "ping"]),
  port: z.number().int().min(1).max(65_535).optional().openapi({ description: "None for ping" }),
  state: z.enum(states),
  reason: z.enum(reasons),
  ms: z.number().min(0).max(120_000),
});
type Told = z.output<typeof answerSchema>;

const checksSchema = z
  .object({
    id: z.string(),
    proof: z.enum(["proved", "failing", "unproved"]).openapi({
      description: "By checks of the last 15 minutes: a packet came through, one did not, nobody looked or could tell",
    }),
    checks: z
      .array(
        z.object({
          at: timeSchema,
          from: z.string().openapi({ description: "The vantage" }),
          by: z.string().openapi({ description: "Whose token reported it" }),
          state: z.enum(states),
          reason: z.enum(reasons),
          ms: z.number(),
        }),
      )
      .readonly()
      .openapi({ description: "The last 30, the oldest first" }),
  })
  .openapi("Checks");
export type Checks = z.output<typeof checksSchema>;

function serviceOf({ transport, port }: Told, at: string): Service {
  if (transport === "ping" && port === undefined) return { kind: "ping" };
  if (transport !== "ping" && port !== undefined)
    return { kind: "ports", transport, ports: { first: port, last: port } };
  throw turned(400, "E955", `${at}.port`, "tcp and udp have a port, ping has none", "give what was asked");
}

/** The openings that a packet from there should have come through, by the host that each is of. */
class Expected {
  readonly #api: Api;
  readonly #vantage: Vantage;
  readonly #known = new Map<HostName, readonly OpeningView[]>();
  constructor(api: Api, vantage: Vantage) {
    this.#api = api;
    this.#vantage = vantage;
  }

  of(told: Told, at: string): readonly OpeningView[] {
    const { controller } = this.#api;
    const { plan } = controller.basis();
    const service = serviceOf(told, at);
    const to = parseAddress(told.to);
    if (to === undefined || !contains(plan.delegated, to))
      throw turned(422, "E976", `${at}.to`, `Not in ${plan.delegated}`, "only the fleet's own addresses are probed");
    const host = plan.hosts.find(({ block }) => contains(block, to))?.host;
    if (host === undefined) return [];
    const openings = this.#known.get(host) ?? controller.openings(host);
    this.#known.set(host, openings);
    return openings.filter(
      (each) =>
        each.to === to && coverService([each.service], service) && letsIn(PrefixSet.of(each.from), this.#vantage),
    );
  }
}

export const probeRoutes: readonly Route[] = [
  jsonRoute({
    method: "post",
    path: "/api/v1/probes",
    role: "operator",
    summary:
      "Report what packets met that were sent to the fleet's addresses, for the openings that should let them in",
    body: z.strictObject({
      from: z.string().min(1).max(200).openapi({
        description: "Where they were sent from: internet, a group, a prefix, an address, a host, host/container",
      }),
      answers: z.array(answerSchema).min(1).max(mostAnswers),
    }),
    format: "probes-taken/1",
    answer: {
      taken: z.number().int().openapi({ description: "Answers that are of an opening" }),
      ignored: z.number().int().openapi({ description: "Answers of what is not open to that vantage" }),
    },
    run: (call) => {
      const { api, body } = call;
      const expected = new Expected(api, readVantage(body.from, api.controller, "body.from"));
      // All is read before anything is kept.
      const found = body.answers.map((told, n) => ({ told, openings: expected.of(told, `body.answers.${n}`) }));
      const { name: by } = personOf(call);
      for (const { told, openings } of found) {
        const { state, reason, ms } = told;
        for (const { id } of openings) api.probes.put(id, { at: api.now(), from: body.from, by, state, reason, ms });
      }
      const taken = found.filter(({ openings }) => openings.length > 0).length;
      return { taken, ignored: found.length - taken };
    },
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/probes",
    role: "viewer",
    summary: "The last checks of openings with packets, as they were reported",
    query: z.strictObject({ ids: idsQuery }),
    format: "probes/1",
    answer: { entries: z.array(checksSchema).readonly().openapi({ description: "Of those that are still open" }) },
    run: ({ api: { controller, probes, now }, query: { ids } }) => ({
      entries: ids
        .filter((id) => controller.opening(id) !== undefined)
        .map((id) => ({ id, proof: probes.proofOf(id, now()), checks: probes.of(id) })),
    }),
  }),
];
