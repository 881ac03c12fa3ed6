import { z } from "@hono/zod-openapi";
import { parseAddress } from "../../net/address.ts";
import { turned } from "../answer.ts";
import { hostNumbersOf, numbersOf } from "../numbers/numbers.ts";
import { hostNumbersShape, numbersShape, ownerShape } from "../numbers/numbers-schema.ts";
import { ownerOf } from "../numbers/owner.ts";
import { jsonRoute, type Route } from "../route.ts";

export const numberRoutes: readonly Route[] = [
  jsonRoute({
    method: "get",
    path: "/api/v1/addresses",
    role: "viewer",
    summary: "The address plan: every block in use, what is free, and what conflicts",
    format: "addresses/1",
    answer: numbersShape,
    run: ({ api }) => numbersOf(api.controller),
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/addresses/{host}",
    role: "viewer",
    summary: "What is in one host's block: link, networks, addresses in use",
    params: z.object({ host: z.string().min(1).max(64) }),
    format: "host-addresses/1",
    answer: hostNumbersShape,
    run: ({ api, params }) => {
      const host = api.controller.basis().plan.hosts.find((each) => each.host === params.host);
      if (host !== undefined) return hostNumbersOf(host, api.controller);
      throw turned(
        404,
        "E960",
        "path.host",
        `No host ${JSON.stringify(params.host)} in the plan`,
        "GET /api/v1/addresses lists them",
      );
    },
  }),
  jsonRoute({
    method: "get",
    path: "/api/v1/who",
    role: "viewer",
    summary: "Who has an address",
    query: z.strictObject({ address: z.string().max(64).openapi({ example: "2001:db8:1234:321d:23::80" }) }),
    format: "who/1",
    answer: ownerShape,
    run: ({ api, query }) => {
      const address = parseAddress(query.address.trim());
      if (address !== undefined) return ownerOf(address, api.controller);
      throw turned(
        400,
        "E955",
        "query.address",
        `Not an IPv6 address: ${JSON.stringify(query.address)}`,
        "write all of it, as 2001:db8::1",
      );
    },
  }),
];
