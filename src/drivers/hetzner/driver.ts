import { Failure } from "../../base/failure.ts";
import type { ProviderDesired } from "../../desired/desired.ts";
import type { Mac } from "../../net/mac.ts";
import type { Prefix } from "../../net/prefix.ts";
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
      if (set.changes.length > 0) await moveTo(robot, prefix, mac, signal);
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
          if (before.mac !== mac) await moveBack(robot, prefix, before.mac, by);
        },
      };
    },
  };
}

/** What Robot refused is not done. */
const refusals: readonly string[] = ["E582", "E586", "E587", "E588", "E589"];

/**
 * An answer may be lost after the move was done, and nobody undoes it here: then Robot is asked where the prefix is, also
 * when the caller has given up, so that whoever gave up can have it moved back.
 */
async function moveTo(robot: Robot, prefix: Prefix, mac: Mac, signal?: AbortSignal): Promise<void> {
  try {
    await robot.move(prefix, mac, signal);
  } catch (cause) {
    if (cause instanceof Failure && refusals.includes(cause.diagnostic.code)) throw cause;
    const now = await robot.read(prefix, AbortSignal.timeout(30_000)).catch(() => undefined);
    if (now === undefined)
      throw new Failure(
        "E503",
        robot.name,
        `${cause instanceof Error ? cause.message : String(cause)}; whether ${prefix} was moved to ${mac} is not known`,
        "look in Robot where it is routed to, or at `sixgate plan --only hetzner`: nobody moves it back",
        { cause },
      );
    if (now.mac !== mac) throw cause;
  }
}

/** The caller may think that a device which is not reached goes back by itself: this one does not. */
async function moveBack(robot: Robot, prefix: Prefix, mac: Mac, signal?: AbortSignal): Promise<void> {
  try {
    await moveTo(robot, prefix, mac, signal);
  } catch (cause) {
    throw new Failure(
      "E515",
      robot.name,
      `${prefix} was not moved back to ${mac}: ${cause instanceof Error ? cause.message : String(cause)}`,
      "move it in Robot by hand",
      { cause },
    );
  }
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
