import type { ProviderDesired } from "../../desired/desired.ts";
import type { Http } from "../../runtime/http.ts";
import { type Inspected, inspectClock } from "../inspected.ts";
import { robotAt } from "./api.ts";

/**
 * Login, the server that has the prefix, its lock, and the MAC that it is routed to. Two reads of the 5,000 that an hour
 * has. Rejects where Robot is not reached, does not know the login, or is asked too often; how many requests are left it
 * says nowhere.
 */
export async function inspectRobot(
  http: Http,
  { prefix, mac }: ProviderDesired,
  now: number,
  signal?: AbortSignal,
): Promise<readonly Inspected[]> {
  const robot = robotAt(http);
  const subnet = await robot.subnet(prefix, signal);
  const { mac: routedTo, possible } = await robot.read(prefix, signal);
  const registered = routedTo === mac || possible.some((each) => each.mac === mac);
  const known = possible.map((each) => `${each.mac} (${each.address})`).join(", ");
  return [
    { what: "login", found: "known" },
    {
      what: "requests",
      found: "not at the limit; Robot does not tell how many are left, ten moves an hour",
      note: true,
    },
    subnet.locked
      ? {
          what: "server",
          found: `${subnet.server}, locked`,
          code: "E615",
          fix: "a locked prefix or server is opened by Hetzner's support; look at its mails about abuse",
        }
      : { what: "server", found: subnet.server },
    subnet.failover
      ? { what: "prefix", found: `${prefix} is a failover prefix: Robot may route it to another server`, note: true }
      : { what: "prefix", found: `${prefix} belongs to that server` },
    registered
      ? { what: "gateway's MAC", found: routedTo === mac ? `${mac}, in force` : `${mac}, registered; now ${routedTo}` }
      : {
          what: "gateway's MAC",
          found: `${mac} is not registered; registered are ${known || "none"}`,
          code: "E586",
          fix: "write the registered one under gateway.uplink.mac, or ask for a MAC for the gateway's IPv4 address in Robot",
        },
    inspectClock(http.clock(), now),
  ];
}
