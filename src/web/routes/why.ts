import { z } from "@hono/zod-openapi";
import type { Api } from "../api.ts";
import { jsonRoute, type Route } from "../route.ts";
import { addressSchema, serviceSchema } from "../schema.ts";
import { explain, verdictOf } from "../why/explain.ts";
import { factsOf } from "../why/facts.ts";
import { type Link, linkNames } from "../why/link.ts";
import { readTarget, type Spot, spotsOf, type Target } from "../why/question.ts";
import { readVantage, type Vantage, wayOf } from "../why/vantage.ts";

const linkSchema = z
  .object({
    link: z.enum(linkNames),
    state: z.enum(["holds", "missing", "unknown"]),
    text: z.string(),
    code: z.string().optional(),
    fix: z.string().optional(),
  })
  .openapi("WhyLink");

const pathSchema = z
  .object({
    to: addressSchema,
    host: z.string(),
    container: z.string().optional(),
    network: z.string().optional(),
    verdict: z.enum(["open", "closed", "unknown"]),
    links: z.array(linkSchema).readonly(),
  })
  .openapi("WhyPath");

async function pathOf(api: Api, target: Target, vantage: Vantage, spot: Spot): Promise<z.input<typeof pathSchema>> {
  const { service } = target;
  const facts = await factsOf(spot, api.controller, api.now());
  const links: Link[] = [...explain(service, vantage, wayOf(vantage, spot, api.controller), spot, facts)];
  if (api.prove !== undefined) links.push(await api.prove({ to: spot.to, service, from: vantage.from }));
  const { to, host, container, network } = spot;
  return {
    to,
    host,
    ...(container === undefined ? {} : { container: container.name }),
    ...(network === undefined ? {} : { network }),
    verdict: verdictOf(links),
    links,
  };
}

export const whyRoute: Route = jsonRoute({
  method: "get",
  path: "/api/v1/why",
  role: "viewer",
  summary: "Why a port is open or closed: the chain from who asked to the element on the gateway, for each address",
  query: z.strictObject({
    to: z.string().min(1).max(300).openapi({ description: "vm1/web:443, [2001:db8::1]:443/udp, vm1/web:ping" }),
    from: z
      .string()
      .min(1)
      .max(200)
      .default("internet")
      .openapi({ description: "internet, a group, a prefix, an address, a host, host/container" }),
  }),
  format: "why/1",
  answer: {
    to: z.string(),
    from: z.string(),
    service: serviceSchema,
    paths: z.array(pathSchema).readonly(),
  },
  run: async ({ api, query }) => {
    const target = readTarget(query.to);
    const vantage = readVantage(query.from, api.controller);
    const spots = spotsOf(target, api.controller);
    const paths = await Promise.all(spots.map((spot) => pathOf(api, target, vantage, spot)));
    return { to: query.to, from: query.from, service: target.service, paths };
  },
});
