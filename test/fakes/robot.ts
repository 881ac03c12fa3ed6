import { httpAt } from "../../src/runtime/http.ts";
import type { ApiWay } from "../../src/runtime/way.ts";
import { certificate } from "./certificate.ts";
import { listen } from "./listen.ts";

/** Hetzner's Robot as far as it is about the MAC of a prefix. */
export type FakeRobot = {
  mac: string;
  readonly possible: Record<string, string>;
  fault: "rate limit" | "locked" | "not found" | "mac failed" | "html" | undefined;
  mask: string;
  subnet: { failover: boolean; locked: boolean };
  moves: number;
  way(password?: string): ApiWay;
  stop(): Promise<void>;
};

type Wrong = readonly [status: number, code: string, more?: object];
const errors: Readonly<Record<"rate limit" | "locked" | "not found" | "mac failed", Wrong>> = {
  "rate limit": [403, "RATE_LIMIT_EXCEEDED", { max_request: 10, interval: 3600 }],
  locked: [409, "SERVER_LOCKED"],
  "not found": [404, "SUBNET_NOT_FOUND"],
  "mac failed": [500, "MAC_FAILED"],
};

export async function startRobot(): Promise<FakeRobot> {
  const certified = certificate({ name: "robot" });
  const listening = await listen((request, response) => {
    const say = (status: number, body: unknown): void => void response.writeHead(status).end(JSON.stringify(body));
    const wrong = (...[status, code, more = {}]: Wrong): void =>
      say(status, { error: { status, code, message: code.toLowerCase(), ...more } });
    if (request.headers.authorization !== `Basic ${Buffer.from("#ws+user:secret").toString("base64")}`)
      return wrong(401, "UNAUTHORIZED");
    if (robot.fault === "html") return void response.writeHead(502).end("<html>bad gateway</html>");
    if (robot.fault !== undefined) return wrong(...errors[robot.fault]);
    const path = decodeURIComponent(request.url ?? "");
    if (request.method === "GET" && path === "/subnet/2001:db8:1234:321d::")
      return say(200, {
        subnet: {
          ip: "2001:db8:1234:321d::",
          mask: Number(robot.mask),
          gateway: "fe80::1",
          server_ip: "203.0.113.162",
          server_number: 321,
          ...robot.subnet,
          traffic_warnings: false,
        },
      });
    if (path !== "/subnet/2001:db8:1234:321d::/mac") return wrong(404, "SUBNET_NOT_FOUND");
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      if (request.method === "PUT") {
        const to = new URLSearchParams(body).get("mac") ?? "";
        if (!Object.values(robot.possible).includes(to)) return wrong(409, "MAC_NOT_AVAILABLE");
        if (robot.moves >= 10) return wrong(...errors["rate limit"]);
        robot.moves++;
        robot.mac = to;
      }
      say(200, { mac: { ip: "2001:db8:1234:321d::", mask: robot.mask, mac: robot.mac, possible_mac: robot.possible } });
    });
  }, certified);
  const robot: FakeRobot = {
    mac: "90:1b:0e:00:00:01",
    possible: { "203.0.113.162": "90:1b:0e:00:00:01", "203.0.113.136": "00:50:56:00:ab:cd" },
    fault: undefined,
    mask: "64",
    subnet: { failover: false, locked: false },
    moves: 0,
    way(password = "secret") {
      const http = httpAt({
        device: "hetzner",
        url: listening.url,
        trust: { kind: "fingerprint", sha256: certified.sha256 },
        headers: { authorization: `Basic ${Buffer.from(`#ws+user:${password}`).toString("base64")}` },
      });
      return { name: http.name, http, reconnect: () => http.reconnect() };
    },
    stop: listening.stop,
  };
  return robot;
}
