import { Failure } from "../../base/failure.ts";
import type { ProviderDesired } from "../../desired/desired.ts";
import { apiOf } from "../../runtime/way.ts";
import type { Driver, DriverKind, Observed } from "../driver.ts";
import { revisionOf } from "../linux/observe-guest.ts";
import { type Robot, type Routed, robotAt } from "./api.ts";
import { normalize, render, routedTo } from "./convert.ts";
import { audit, consequences } from "./limits.ts";

/** Hetzner's dedicated servers: the MAC whose link-local address a prefix is routed to. There is nobody who would undo it. */
export const hetzner: DriverKind<ProviderDesired> = {
  name: "hetzner",
  layer: "provider",
  undo: "none",
  audit,
  normalize,
  render,
  consequences,
  at: (way, desired) => hetznerAt(robotAt(apiOf(way).http), desired),
};

function hetznerAt(robot: Robot, desired: ProviderDesired): Driver {
  const { prefix, mac } = desired;
  return {
    async observe(signal) {
      const routed = await robot.read(prefix, signal);
      requireRegistered(robot, desired, routed);
      return observed(desired, routed);
    },
    async apply(set, _confirmWithin, signal) {
      const before = await robot.read(prefix, signal);
      requireRegistered(robot, desired, before);
      if (observed(desired, before).revision !== set.base)
        throw new Failure("E510", robot.name, "The prefix was moved since the plan", "plan again");
      if (set.changes.length > 0) await robot.move(prefix, mac, signal);
      let settled: "confirmed" | "undone" | undefined;
      return {
        async confirm() {
          if (settled === "undone")
            throw new Failure("E514", robot.name, "The prefix was moved back already", "apply again");
          settled = "confirmed";
        },
        async rollback(by) {
          if (settled === "confirmed")
            throw new Failure("E516", robot.name, "Confirmed already", "plan and apply the change back");
          settled = "undone";
          if (before.mac !== mac) await robot.move(prefix, before.mac, by);
        },
      };
    },
  };
}

function observed({ prefix }: ProviderDesired, { mac }: Routed): Observed {
  const items = [routedTo(prefix, mac)];
  return { items, revision: revisionOf(items) };
}

/** A MAC that the provider does not know on the uplink is taken for abuse, and the server is cut off for it. */
function requireRegistered(robot: Robot, { mac, prefix }: ProviderDesired, { possible, mac: now }: Routed): void {
  if (now === mac || possible.some((each) => each.mac === mac)) return;
  const known = possible.map((each) => `${each.mac} (${each.address})`).join(", ");
  throw new Failure(
    "E586",
    robot.name,
    `The gateway's MAC ${mac} is not registered for ${prefix}; registered are ${known || "none"}`,
    "write the registered one under gateway.uplink.mac, or ask for a MAC for the gateway's IPv4 address in Robot",
  );
}
