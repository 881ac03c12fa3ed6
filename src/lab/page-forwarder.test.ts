import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;
let forwarder: ChildProcess;
let port: number;
let server: Server | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sixgate-door-"));
  const portFile = join(folder, "port");
  const program = join(import.meta.dirname, "page-forwarder.ts");
  forwarder = spawn(process.execPath, [program, join(folder, "api.sock"), portFile], { stdio: "ignore" });
  for (let n = 0; n < 600 && !existsSync(portFile); n++) await sleep(50);
  port = Number(readFileSync(portFile, "utf8"));
});
afterEach(async () => {
  forwarder.kill("SIGKILL");
  await stop();
  rmSync(folder, { recursive: true });
});

/** What is behind the door: answers with the method, the path, the Host header and the body. */
async function serve(): Promise<void> {
  server = createServer((asked, answer) => {
    const chunks: Buffer[] = [];
    asked.on("data", (chunk: Buffer) => chunks.push(chunk));
    asked.on("end", () =>
      answer.end(`${asked.method} ${asked.url} ${asked.headers.host} ${Buffer.concat(chunks).length}`),
    );
  });
  await new Promise<void>((resolve) => server?.listen(join(folder, "api.sock"), resolve));
}

async function stop(): Promise<void> {
  const ended = server;
  server = undefined;
  ended?.closeAllConnections();
  await new Promise((resolve) => (ended === undefined ? resolve(undefined) : ended.close(resolve)));
}

function ask(host: string, body = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path: "/x", method: "POST", agent: false }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
      answer.on("end", () => resolve(text));
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

test("page-forwarder hands both loopback addresses to the socket, byte for byte", async () => {
  await serve();
  expect(await ask("127.0.0.1", "a".repeat(3_000_000))).toBe(`POST /x 127.0.0.1:${port} 3000000`);
  expect(await ask("::1")).toBe(`POST /x [::1]:${port} 0`);
});

test("page-forwarder closes what comes while nobody serves, and leads to who serves next", async () => {
  await expect(ask("127.0.0.1")).rejects.toThrow(/socket hang up|ECONNRESET/);
  await serve();
  expect(await ask("127.0.0.1")).toContain("POST /x");
  await stop();
  await expect(ask("127.0.0.1")).rejects.toThrow(/socket hang up|ECONNRESET/);
  await serve();
  expect(await ask("::1")).toContain("POST /x");
  expect(forwarder.exitCode).toBe(null);
});
