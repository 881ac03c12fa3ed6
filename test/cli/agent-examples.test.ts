import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Board } from "../../src/agent/board.ts";
import { engineClient } from "../../src/agent/engine-client.ts";
import { watchEngine } from "../../src/agent/watch.ts";
import { cacheFolder } from "../../src/lab/cache.ts";
import { runProcess } from "../../src/runtime/process.ts";
import { unpackPackages } from "../../src/runtime/unpack.ts";
import { FakeEngine, flavours } from "../fake-engine.ts";
import { idOf, until } from "../trust.ts";
import { inFolder, project } from "./run.ts";

let children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
});

/** An nginx to run, or why there is none: this machine's, or Debian's package, unpacked. */
async function findNginx(): Promise<{ readonly path: string } | { readonly why: string }> {
  if (existsSync("/usr/sbin/nginx")) return { path: "/usr/sbin/nginx" };
  try {
    const tree = await unpackPackages(["nginx"], join(cacheFolder(), "packages"), () => undefined);
    const path = join(tree, "usr/sbin/nginx");
    const ran = await runProcess("local", [path, "-v"]);
    return ran.code === 0 ? { path } : { why: "no nginx that runs here" };
  } catch (error) {
    return { why: `no nginx to be had: ${String(error)}` };
  }
}

function get(socketPath: string, method: string, path: string, body = ""): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = body === "" ? {} : { "content-length": body.length };
    const asked = request({ socketPath, method, path, headers }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

const id = idOf(101);
/** What must not come through, as it is and in other spellings. */
const forbidden: readonly string[] = [
  `/containers/${id}/json`,
  `/containers/${id}/archive?path=/etc/shadow`,
  `/containers/${id}/export`,
  `/containers/${id}/logs?stdout=1`,
  `/containers/${id}/attach/ws`,
  `/containers/${id}/top`,
  `/containers/${id}/changes`,
  "/containers/json/../../secrets",
  "/containers/web/json",
  "/images/json",
  "/images/web/json",
  "/images/web/get",
  "/images/get?names=web",
  "/images/search?term=x",
  "/networks",
  "/networks/bridge",
  `/networks/${id}/../../info`,
  "/info",
  "/system/df",
  "/secrets",
  "/configs",
  "/services",
  "/swarm",
  "/nodes",
  "/tasks",
  "/plugins",
  "/volumes",
  "/exec/0123/json",
  "/distribution/web/json",
  "/session",
  "/_ping",
  "/grpc",
];
const spellings: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => `/v1.41${path}`,
  (path) => `/v1.41/${path}`,
  (path) => `/v1.41/.${path}`,
  (path) => path.replace("/", "/%2e%2e/"),
  (path) => `/v1.41${path.replaceAll("n", "%6e")}`,
  (path) => `/v1.41/events/..${path}`,
];

describe("examples/agent/docker-read-only.nginx.conf", () => {
  test("lets an agent do all it needs, and nobody anything else", async ({ skip }) => {
    const nginx = await findNginx();
    if ("why" in nginx) return skip(nginx.why);
    await inFolder(async (folder) => {
      const engine = await FakeEngine.start(flavours["28.5"]);
      engine.model.start(engine.model.create({ name: "web" }));
      const run = join(folder, "run");
      mkdirSync(run);
      const text = readFileSync(join(project, "examples/agent/docker-read-only.nginx.conf"), "utf8")
        .replaceAll("/run/sixgate-docker", run)
        .replaceAll("/var/run/docker.sock", engine.path);
      writeFileSync(join(folder, "nginx.conf"), text);
      const user = process.getuid?.() === 0 ? ["-g", "user root;"] : [];
      const child = spawn(nginx.path, ["-p", folder, "-c", join(folder, "nginx.conf"), ...user], { stdio: "ignore" });
      children.push(child);
      const socket = join(run, "read-only.sock");
      await until(() => existsSync(socket), "the proxy");
      const board = new Board();
      const stop = new AbortController();
      const client = engineClient(socket);
      const log: string[] = [];
      const say = (line: string): void => void log.push(line);
      const watching = watchEngine({ client, board, log: { info: say, warn: say, error: say } }, stop.signal);
      try {
        await until(() => board.complete && board.reports.size === 1, "the listing through the proxy");
        engine.act((model) => model.attach(model.create({ name: "second", image: "sha256:b" })));
        await until(() => board.reports.size === 2, "an event through the proxy");
        const before = engine.asked.length;
        for (const path of forbidden)
          for (const spell of spellings)
            expect(`${spell(path)} ${await get(socket, "GET", spell(path))}`).toMatch(/ (400|403)$/);
        for (const method of ["POST", "PUT", "DELETE", "HEAD", "PATCH"])
          expect(await get(socket, method, "/v1.41/containers/json")).toBe(403);
        expect(await get(socket, "GET", "/v1.41/containers/json", "x".repeat(100))).toBe(413);
        expect(engine.asked.slice(before)).toEqual([]);
      } finally {
        stop.abort();
        await watching;
        client.end();
        child.kill("SIGTERM");
        await until(() => child.exitCode !== null || child.signalCode !== null, "the end of nginx");
        await engine.end();
      }
    });
  });
});
