import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { send, withApi } from "../../test/web/bench.ts";
import { certificate } from "../../test/web/certificate.ts";
import { labBasis } from "../../test/web/memory-controller.ts";
import type { Address4 } from "../net/ipv4.ts";
import { apiPlaces } from "./api-places.ts";
import { type ListenAt, listenAt } from "./listen.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "sixgate-listen-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const fine = () => (): never => {
  throw new Error("Nobody asks here");
};

test.each<readonly [name: string, at: ListenAt]>([
  ["everywhere, IPv6", { kind: "tcp", host: "::", port: 0, tls: { key: "", cert: "" } }],
  ["everywhere, IPv6, another way", { kind: "tcp", host: "0:0::0", port: 0, tls: { key: "", cert: "" } }],
  ["everywhere, IPv4", { kind: "tcp", host: "0.0.0.0", port: 0, tls: { key: "", cert: "" } }],
  ["everywhere, by nothing", { kind: "tcp", host: "", port: 0, tls: { key: "", cert: "" } }],
  ["an address of the network in the clear", { kind: "tcp", host: "192.0.2.1", port: 0 }],
  ["an IPv6 address in the clear", { kind: "tcp", host: "2001:db8::1", port: 0 }],
  ["a name in the clear", { kind: "tcp", host: "localhost.example", port: 0 }],
  ["what looks like loopback", { kind: "tcp", host: "127.0.0.1.example", port: 0 }],
  ["what begins like loopback", { kind: "tcp", host: "::1:2", port: 0 }],
])("listenAt refuses %s", async (_, at) => {
  await expect(listenAt(at, fine)).rejects.toMatchObject({ diagnostic: { code: "E962" } });
});

test("listenAt says so when the port is taken, or the address is not this machine's", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  await expect(listenAt({ kind: "tcp", host: "127.0.0.1", port }, fine)).rejects.toMatchObject({
    diagnostic: { code: "E963" },
  });
  await new Promise((resolve) => other.close(resolve));
  await expect(
    listenAt({ kind: "tcp", host: "192.0.2.1", port: 0, tls: certificate("a") }, fine),
  ).rejects.toMatchObject({ diagnostic: { code: "E963" } });
});

test("the unix socket is its owner's only, is taken over from the dead, and goes when the API ends", async () => {
  const made = folder();
  const path = join(made, "run/controller.sock");
  const first = await listenAt({ kind: "unix", path }, () => (_, response) => response.end("one"));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(made, "run"))).toEqual(["controller.sock"]);
  expect((await send(first.url, "/", {})).text).toBe("one");
  await expect(listenAt({ kind: "unix", path }, fine)).rejects.toMatchObject({
    diagnostic: { code: "E963", text: "Another controller listens there" },
  });
  expect((await send(first.url, "/", {})).text).toBe("one");
  await first.close();
  expect(readdirSync(join(made, "run"))).toEqual([]);
});

test("a socket that a killed controller left behind is replaced; a file of that name is not", async () => {
  const path = join(folder(), "s");
  const dead = createServer().listen(`${path}.dead`);
  await new Promise((resolve) => dead.once("listening", resolve));
  const { renameSync } = await import("node:fs");
  renameSync(`${path}.dead`, path);
  await new Promise((resolve) => dead.close(resolve));
  const listening = await listenAt({ kind: "unix", path }, () => (_, response) => response.end("new"));
  expect((await send(listening.url, "/", {})).text).toBe("new");
  await listening.close();
  writeFileSync(path, "precious");
  await expect(listenAt({ kind: "unix", path }, fine)).rejects.toMatchObject({ diagnostic: { code: "E963" } });
  expect(statSync(path).isFile()).toBe(true);
});

test("a path that is too long for a socket is an error, and nothing is left of it", async () => {
  const made = folder();
  for (const path of [join(made, "x".repeat(120)), join(made, "f".repeat(90), "s")]) {
    await expect(listenAt({ kind: "unix", path }, fine)).rejects.toMatchObject({ diagnostic: { code: "E963" } });
  }
  expect(readdirSync(made, { recursive: true }).filter((name) => name !== "f".repeat(90))).toEqual([]);
});

test("over TLS the API speaks 1.3 only, with the certificate it was given, and a renewed one from then on", async () => {
  const [old, renewed] = [certificate("one"), certificate("two")];
  await withApi(
    async (stand) => {
      const url = stand.served.urls[1] ?? "";
      expect(url).toMatch(/^https:\/\/127\.0\.0\.1:[0-9]+$/);
      expect((await stand.ask("/api/v1/status", { url, ca: old.cert })).status).toBe(200);
      await expect(stand.ask("/api/v1/status", { url })).rejects.toThrow(/self-signed/i);
      const { port } = new URL(url);
      const refused = new Promise((resolve) => {
        const socket = connect({ host: "127.0.0.1", port: Number(port), maxVersion: "TLSv1.2", ca: old.cert });
        socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
        socket.on("secureConnect", () => resolve("connected"));
      });
      expect(await refused).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
      stand.served.renew(renewed);
      expect((await stand.ask("/api/v1/status", { url, ca: renewed.cert })).status).toBe(200);
      await expect(stand.ask("/api/v1/status", { url, ca: old.cert })).rejects.toThrow();
    },
    [{ kind: "tcp", host: "127.0.0.1", port: 0, tls: old }],
  );
});

test("serveApi listens nowhere when one of its places can't be had", async () => {
  await expect(
    withApi(() => Promise.reject(new Error("was served")), [{ kind: "tcp", host: "::", port: 0 }]),
  ).rejects.toMatchObject({
    diagnostic: { code: "E962" },
  });
});

test("apiPlaces: the socket, and the management network where fleet and gateway have one", () => {
  const { fleet } = labBasis();
  const { controller, ...uncontrolled } = fleet;
  const controlled = { ...uncontrolled, controller: { agentPort: 6463, apiPort: 6464 } };
  const tls = { key: "k", cert: "c" };
  const unix = { kind: "unix", path: "/run/s" };
  expect(controller).toBeDefined();
  expect(apiPlaces(uncontrolled, tls, "/run/s")).toEqual([unix]);
  expect(apiPlaces(controlled, tls, "/run/s")).toEqual([unix, { kind: "tcp", host: "10.10.10.2", port: 6464, tls }]);
  const beside = { ...controlled, gateway: { ...fleet.gateway, kind: "pfsense" as const } };
  expect(apiPlaces(beside, tls, "/run/s")).toEqual([unix]);
  const own = { ...beside, controller: { ...controlled.controller, address: "10.10.10.5" as Address4 } };
  expect(apiPlaces(own, tls, "/run/s")).toEqual([unix, { kind: "tcp", host: "10.10.10.5", port: 6464, tls }]);
  const { management: _, ...gateway } = fleet.gateway;
  expect(apiPlaces({ ...controlled, gateway }, tls, "/run/s")).toEqual([unix]);
});
