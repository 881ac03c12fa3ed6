import type { ProviderDesired } from "../../src/desired/desired.ts";
import type { Driver } from "../../src/drivers/driver.ts";
import { hetzner } from "../../src/drivers/hetzner/driver.ts";
import { httpAt } from "../../src/runtime/http.ts";
import { type FakeRobot, type RobotFault, startRobot } from "../fakes/robot.ts";
import type { Target } from "./bench.ts";
import { layerOf } from "./states.ts";

/** The prefix of the fake, for a gateway with this MAC on its uplink. */
export function robotState(mac = "00:50:56:00:ab:cd"): ProviderDesired {
  const api = '{ url: "https://robot-ws.your-server.de", key: "env:ROBOT_USER", secret: "env:ROBOT_PASSWORD" }';
  return layerOf("provider", "hetzner", { mac, provider: `{ name: hetzner, delivery: routed, api: ${api} }` });
}

/** Each strikes reads as well as moves. */
const blinding: readonly RobotFault[] = ["rate-limit", "not-found", "html", "cut-off"];

export const hetznerTarget: Target<ProviderDesired> = {
  name: "hetzner",
  states: [robotState(), robotState("00:50:56:00:ab:ce"), robotState("90:1b:0e:00:00:01")],
  missing: async () => undefined,
  noUndo: "nothing at the provider goes back by itself, so the guard asks for --accept-lockout-risk (E605)",
  async open() {
    const robot = await startRobot();
    // Elsewhere than any state wants it first. The fake takes ten moves, as Robot does in an hour.
    robot.mac = "00:50:56:00:ab:ce";
    const way = robot.way();
    return {
      kind: hetzner,
      way,
      foreign: async () => JSON.stringify([robot.theirs, robot.possible, robot.subnet]),
      async meddle() {
        robot.mac = "00:50:56:00:ab:ce";
      },
      blind: (desired) => blindRobots(robot, desired),
      close: async () => {
        way.http.end();
        await robot.stop();
      },
    };
  },
};

function blindRobots(robot: FakeRobot, desired: ProviderDesired): readonly Driver[] {
  const way = (password?: string): ReturnType<FakeRobot["way"]> => robot.way(password);
  const struck = (fault: RobotFault): Driver => {
    const driver = hetzner.at(way(), desired);
    return {
      ...driver,
      observe() {
        robot.fault = fault;
        return driver.observe().finally(() => {
          robot.fault = undefined;
        });
      },
    };
  };
  const saying = (text: string): Driver =>
    hetzner.at({ ...way(), http: { ...way().http, send: async () => ({ status: 200, text }) } }, desired);
  // Port 9 is nobody's on loopback.
  const http = httpAt({ device: "hetzner", url: "https://127.0.0.1:9", trust: { kind: "system" }, headers: {} });
  return [
    ...blinding.map(struck),
    hetzner.at(way("wrong"), desired),
    saying("{}"),
    saying(JSON.stringify({ mac: { ip: "2001:db8:1234:321d::", mask: 56, mac: desired.mac, possible_mac: {} } })),
    saying(JSON.stringify({ mac: { ip: "2001:db8:1234:321d::", mask: 64, mac: "none", possible_mac: {} } })),
    hetzner.at({ name: http.name, http, reconnect: () => http.reconnect() }, desired),
  ];
}
