import type { IncomingMessage, ServerResponse } from "node:http";
import { httpAt } from "../../src/runtime/http.ts";
import type { ApiWay } from "../../src/runtime/way.ts";
import { type Certified, certificate } from "./certificate.ts";
import { listen } from "./listen.ts";

type Wrong = readonly [status: number, code: string, more?: object];
type Refused = "rate-limit" | "not-found" | "moves-used-up" | "locked" | "mac-failed";

/** What Robot refuses: every question, or moves alone. */
const refused: Readonly<Record<Refused, { readonly moves: boolean; readonly wrong: Wrong }>> = {
  "rate-limit": { moves: false, wrong: [403, "RATE_LIMIT_EXCEEDED", { max_request: 10, interval: 3600 }] },
  "not-found": { moves: false, wrong: [404, "SUBNET_NOT_FOUND"] },
  "moves-used-up": { moves: true, wrong: [403, "RATE_LIMIT_EXCEEDED", { max_request: 10, interval: 3600 }] },
  locked: { moves: true, wrong: [409, "SERVER_LOCKED"] },
  "mac-failed": { moves: true, wrong: [500, "MAC_FAILED"] },
};

/**
 * `html`: another program answers. `cut-off`: every connection breaks. `answer-lost`: a move is done, and the connection
 * breaks. `cut-at-move`: the same, and nothing is done. `does-nothing`: a move is said to be done and is not.
 */
export type RobotFault = Refused | "html" | "cut-off" | "answer-lost" | "cut-at-move" | "does-nothing";

/** Hetzner's Robot as far as it is about the MAC of a prefix. */
export type FakeRobot = {
  readonly url: string;
  readonly certified: Certified;
  readonly user: string;
  readonly password: string;
  /** Where 2001:db8:1234:321d::/64 is routed to. */
  mac: string;
  /** Where somebody's 2001:db8:1234:321e::/64 of the same account is routed to. */
  theirs: string;
  readonly possible: Record<string, string>;
  fault: RobotFault | undefined;
  mask: string;
  subnet: { failover: boolean; locked: boolean };
  moves: number;
  /** Questions that were let in or refused. */
  asked: number;
  way(password?: string): ApiWay;
  stop(): Promise<void>;
};

const [user, password] = ["#ws+user", "only-robot-knows"];
const ours = "2001:db8:1234:321d::";
const others = "2001:db8:1234:321e::";

function basic(secret: string): string {
  return `Basic ${Buffer.from(`${user}:${secret}`).toString("base64")}`;
}

export async function startRobot(): Promise<FakeRobot> {
  const certified = certificate({ name: "robot" });
  const listening = await listen((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => answer(robot, { request, response, body }));
  }, certified);
  const robot: FakeRobot = {
    url: listening.url,
    certified,
    user,
    password,
    mac: "90:1b:0e:00:00:01",
    theirs: "90:1b:0e:00:00:01",
    possible: {
      "203.0.113.162": "90:1b:0e:00:00:01",
      "203.0.113.136": "00:50:56:00:ab:cd",
      "203.0.113.137": "00:50:56:00:ab:ce",
    },
    fault: undefined,
    mask: "64",
    subnet: { failover: false, locked: false },
    moves: 0,
    asked: 0,
    way(secret = password) {
      const http = httpAt({
        device: "hetzner",
        url: listening.url,
        trust: { kind: "fingerprint", sha256: certified.sha256 },
        headers: { authorization: basic(secret) },
      });
      return { name: http.name, http, reconnect: () => http.reconnect() };
    },
    stop: listening.stop,
  };
  return robot;
}

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly body: string };

function answer(robot: FakeRobot, { request, response, body }: Exchange): void {
  const say = (status: number, said: unknown): void => void response.writeHead(status).end(JSON.stringify(said));
  const wrong = (...[status, code, more = {}]: Wrong): void =>
    say(status, { error: { status, code, message: code.toLowerCase(), ...more } });
  const { fault } = robot;
  robot.asked++;
  const isMove = request.method === "PUT";
  if (fault === "cut-off" || (fault === "cut-at-move" && isMove)) return void request.socket.destroy();
  if (request.headers.authorization !== basic(password)) return wrong(401, "UNAUTHORIZED");
  if (fault === "html") return void response.writeHead(502).end("<html>bad gateway</html>");
  const refusal = fault !== undefined && fault in refused ? refused[fault as Refused] : undefined;
  if (refusal !== undefined && (isMove || !refusal.moves)) return wrong(...refusal.wrong);
  const [, base, what] = /^\/subnet\/([^/]+)(\/mac)?$/.exec(decodeURIComponent(request.url ?? "")) ?? [];
  if (base !== ours && base !== others) return wrong(404, "SUBNET_NOT_FOUND");
  if (what === undefined)
    return say(200, {
      subnet: {
        ip: base,
        mask: Number(robot.mask),
        gateway: "fe80::1",
        server_ip: "203.0.113.162",
        server_number: 321,
        ...robot.subnet,
        traffic_warnings: false,
      },
    });
  const field = base === ours ? "mac" : "theirs";
  if (isMove) {
    const to = new URLSearchParams(body).get("mac") ?? "";
    if (!Object.values(robot.possible).includes(to)) return wrong(409, "MAC_NOT_AVAILABLE");
    if (robot.moves >= 10) return wrong(...refused["moves-used-up"].wrong);
    if (fault !== "does-nothing") {
      robot.moves++;
      robot[field] = to;
    }
    if (fault === "answer-lost") return void request.socket.destroy();
  }
  say(200, { mac: { ip: base, mask: robot.mask, mac: robot[field], possible_mac: robot.possible } });
}
