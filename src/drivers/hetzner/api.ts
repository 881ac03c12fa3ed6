import { z } from "zod";
import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import { type Mac, parseMac } from "../../net/mac.ts";
import { baseOf, lengthOf, type Prefix } from "../../net/prefix.ts";
import type { Http, HttpAnswer } from "../../runtime/http.ts";

// Robot, the web service for Hetzner's dedicated servers: https://robot.hetzner.com/doc/webservice/en.html. Reading is
// allowed 5,000 times an hour, moving 10 times; three wrong passwords close it to our address for ten minutes, so
// nothing that was refused is tried again.

/** `possible`: the MACs that the prefix may be routed to, each with the address it was registered for. */
export type Routed = {
  readonly mac: Mac;
  readonly possible: readonly { readonly address: string; readonly mac: Mac }[];
};

/** Whose a prefix is. `server`: its number and main address, for people. */
export type Subnet = { readonly server: string; readonly failover: boolean; readonly locked: boolean };

export type Robot = {
  readonly name: string;
  subnet(prefix: Prefix, signal?: AbortSignal): Promise<Subnet>;
  read(prefix: Prefix, signal?: AbortSignal): Promise<Routed>;
  move(prefix: Prefix, to: Mac, signal?: AbortSignal): Promise<Routed>;
};

const macField = z.string().transform((text, context) => {
  const found = parseMac(text);
  if (found !== undefined) return found;
  context.addIssue("not a MAC address");
  return z.NEVER;
});
const shape = z.object({
  mac: z.object({
    ip: z.string(),
    // A string here, a number elsewhere in the same service.
    mask: z.coerce.number(),
    mac: macField,
    possible_mac: z.record(z.string(), macField),
  }),
});
const subnetShape = z.object({
  subnet: z.object({
    server_ip: z.string(),
    server_number: z.coerce.number(),
    failover: z.boolean(),
    locked: z.boolean(),
  }),
});
const errorShape = z.object({
  error: z.object({ code: z.string(), message: z.string().default(""), interval: z.number().optional() }),
});

export function robotAt(http: Http): Robot {
  const { name } = http;
  const pathOf = (prefix: Prefix): string => `/subnet/${encodeURIComponent(baseOf(prefix))}`;
  const pathTo = (prefix: Prefix): string => `${pathOf(prefix)}/mac`;
  return {
    name,
    async subnet(prefix, signal) {
      const answer = await http.send({ method: "GET", path: pathOf(prefix), signal });
      const parsed = subnetShape.safeParse(jsonOf(answer.text));
      if (answer.status >= 300 || !parsed.success) throw refusal(name, prefix, answer);
      const { server_number, server_ip, failover, locked } = parsed.data.subnet;
      return { server: printable(`number ${server_number}, ${server_ip}`), failover, locked };
    },
    async read(prefix, signal) {
      return understood(name, prefix, await http.send({ method: "GET", path: pathTo(prefix), signal }));
    },
    async move(prefix, to, signal) {
      const body = { form: { mac: to } };
      return understood(name, prefix, await http.send({ method: "PUT", path: pathTo(prefix), body, signal }));
    },
  };
}

function understood(name: string, prefix: Prefix, answer: HttpAnswer): Routed {
  const parsed = shape.safeParse(jsonOf(answer.text));
  if (answer.status >= 300 || !parsed.success) throw refusal(name, prefix, answer);
  const { mask, mac, possible_mac } = parsed.data.mac;
  if (mask !== lengthOf(prefix))
    throw new Failure(
      "E589",
      name,
      `The provider routes a /${mask}, the fleet has ${prefix}`,
      "write its length into the fleet file",
    );
  return { mac, possible: Object.entries(possible_mac).map(([address, each]) => ({ address, mac: each })) };
}

function refusal(name: string, prefix: Prefix, { status, text }: HttpAnswer): Failure {
  const parsed = errorShape.safeParse(jsonOf(text));
  if (status === 401)
    return new Failure(
      "E582",
      name,
      "Robot does not know user and password",
      "they are those of its web service, made under Settings, not those of the account; three wrong ones close it for ten minutes",
    );
  if (!parsed.success)
    return new Failure(
      "E517",
      name,
      `Robot gave ${status} and no answer of its own: ${printable(text.trim().slice(0, 200)) || "nothing"}`,
      "look whether provider.api.url is https://robot-ws.your-server.de",
    );
  const { code, message, interval } = parsed.data.error;
  const said = `${code}: ${message}`.slice(0, 300);
  switch (code) {
    case "RATE_LIMIT_EXCEEDED":
      return new Failure(
        "E587",
        name,
        said,
        `wait ${Math.ceil((interval ?? 3600) / 60)} minutes; a prefix can be moved ten times an hour`,
      );
    case "SUBNET_NOT_FOUND":
      return new Failure(
        "E589",
        name,
        `${prefix}: ${said}`,
        "look at the server's addresses in Robot: the prefix is another one",
      );
    case "MAC_NOT_AVAILABLE":
      return new Failure("E586", name, said, "ask for a MAC for the gateway's IPv4 address in Robot first");
    default:
      return new Failure(
        "E588",
        name,
        `${status} ${said}`,
        "look at the server in Robot; a locked one is opened by support",
      );
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
