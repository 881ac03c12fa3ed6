import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ControllerRig, type Started } from "../../test/controller-rig.ts";
import { addressOn, report, tcp, vm1 } from "../../test/openings-rig.ts";
import { type Asking, type Said, send } from "../../test/web/bench.ts";
import { parseMetrics } from "../../test/web/prometheus.ts";
import { readEvents } from "../cli/event-text.ts";
import type { StaticOpening } from "../fleet/fleet.ts";
import { address } from "../net/address.ts";
import { prefix } from "../net/prefix.ts";
import { memoryStore } from "../store/memory-store.ts";
import { routes } from "./routes.ts";
import { type Served, serveApi } from "./serve.ts";

// The API over the controller itself, with a gateway that is faked: what the other tests take for granted.

let rig: ControllerRig;
let started: Started;
let served: Served;
let folder: string;

const fixed: StaticOpening = {
  to: { kind: "address", address: address("2001:db8:1234:321d:22::80") },
  services: [tcp(443)],
  from: [prefix("::/0")],
  at: "fleet.yaml:40:5 openings[0]",
};

beforeEach(async () => {
  rig = await ControllerRig.make();
  rig.basis = { ...rig.basis, fleet: { ...rig.basis.fleet, openings: [fixed] } };
  started = await rig.start();
  folder = mkdtempSync(join(tmpdir(), "sixgate-api-"));
  served = await serveApi({
    controller: started.controller,
    store: memoryStore(),
    listen: [{ kind: "unix", path: join(folder, "s") }],
    tokenFile: join(folder, "token"),
    log: () => undefined,
    now: () => rig.clock.now(),
  });
});
afterEach(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
  await rig.remove();
});

function ask(path: string, asking: Asking = {}): Promise<Said> {
  return send(served.urls[0] ?? "", path, { token: readFileSync(join(folder, "token"), "utf8").trim(), ...asking });
}

/** The answer of a route, which has to be what the route's schema says, and no more. */
async function answer<T>(path: string, body?: object): Promise<T> {
  const said = await ask(path, body === undefined ? {} : { method: "POST", body });
  expect(said.status, said.text).toBe(200);
  const read: unknown = JSON.parse(said.text);
  const method = body === undefined ? "get" : "post";
  const route = routes.find(
    (each) =>
      each.method === method &&
      new RegExp(`^${each.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path.split("?")[0] ?? ""),
  );
  expect(route?.answer.parse(read)).toEqual(read);
  return read as T;
}

type Opening = {
  readonly id: string;
  readonly to: string;
  readonly askedBy: { readonly kind: string };
  readonly state: string;
};
type Chain = {
  readonly paths: readonly {
    readonly verdict: string;
    readonly links: readonly { link: string; state: string; code?: string }[];
  }[];
};

async function chainOf(to: string, from = "internet"): Promise<readonly string[]> {
  const { paths } = await answer<Chain>(`/api/v1/why?to=${encodeURIComponent(to)}&from=${encodeURIComponent(from)}`);
  return paths.flatMap((path) => [
    path.verdict,
    ...path.links.map(({ link, state, code }) => `${link} ${state}${code === undefined ? "" : ` ${code}`}`),
  ]);
}

const a1 = addressOn(vm1, 1);
const whole = ["open", "address holds", "request holds", "decision holds", "element holds", "host holds"];

test("what labels ask for is open, explained, and refused with its code", async () => {
  rig.snapshot(
    started,
    "vm1",
    report(1, { open: "80; 22", on: [a1], exposed: [{ transport: "tcp", ports: { first: 8080, last: 8080 } }] }),
  );
  await started.settled();
  const { entries } = await answer<{ entries: readonly Opening[] }>("/api/v1/openings?by=label");
  expect(entries).toMatchObject([{ to: a1, state: "open", askedBy: { kind: "label" } }]);
  expect(await answer(`/api/v1/openings/${entries[0]?.id ?? ""}`)).toMatchObject({ opening: entries[0] });
  expect(await answer("/api/v1/refusals")).toMatchObject({ entries: [{ code: "E912", at: "sixgate.open rule 2" }] });
  expect(await answer("/api/v1/suggestions")).toMatchObject({
    entries: [{ address: a1, ports: { first: 8080, last: 8080 } }],
  });
  expect(await answer("/api/v1/hosts/vm1/containers")).toMatchObject({ entries: [{ name: "c1" }] });
  expect(await chainOf("vm1/c1:80")).toEqual(whole);
  expect(await chainOf("vm1/c1:22")).toEqual([
    "closed",
    "address holds",
    "request holds",
    "decision missing E912",
    "element missing",
    "host holds",
  ]);
  expect(await chainOf("vm1/c1:8001")).toEqual([
    "closed",
    "address holds",
    "request missing",
    "decision holds",
    "element missing",
    "host holds",
  ]);
  const close = await ask(`/api/v1/openings/${entries[0]?.id ?? ""}/close`, { method: "POST", body: { reason: "x" } });
  expect([close.status, JSON.parse(close.text)]).toMatchObject([422, { errors: [{ code: "E949" }] }]);
  const metrics = parseMetrics((await ask("/metrics")).text);
  expect(metrics.get("sixgate_opening_latency_seconds")?.samples.get("sixgate_opening_latency_seconds_count")).toBe(1);
  expect(metrics.get("sixgate_refused_total")?.samples.get("sixgate_refused_total")).toBe(1);
});

test("what a person opens is in force when it is answered, ends by itself or when it is closed, and is written down", async () => {
  rig.snapshot(started, "vm1", report(1, { on: [a1] }));
  await started.settled();
  const body = { to: "vm1/c1", services: ["22", "443"], from: ["3fff:1:2::/48"], seconds: 600, reason: "look" };
  const refused = await ask("/api/v1/openings", { method: "POST", body: { ...body, from: ["any"] } });
  expect([refused.status, JSON.parse(refused.text)]).toMatchObject([422, { errors: [{ code: "E913" }] }]);
  const opened = await answer<{ entries: readonly Opening[] }>("/api/v1/openings", body);
  expect(opened.entries).toHaveLength(2);
  expect(rig.gateway.open()).toEqual([`${a1} 22/tcp from 3fff:1:2::/48`, `${a1} 443/tcp from 3fff:1:2::/48`]);
  expect(await chainOf("vm1/c1:22", "3fff:1:2::7")).toEqual(whole);
  expect((await chainOf("vm1/c1:22"))[0]).toBe("closed");
  await answer(`/api/v1/openings/${opened.entries[0]?.id ?? ""}/close`, { reason: "seen" });
  expect(rig.gateway.open()).toHaveLength(1);
  await rig.pass(601_000);
  expect(rig.gateway.open()).toEqual([]);
  expect(await answer("/api/v1/openings?by=person")).toMatchObject({ entries: [] });
  const { entries } = await answer<{ entries: readonly { who: string; what: string }[] }>("/api/v1/journal?after=0");
  expect(entries.map(({ who, what }) => `${who} ${what}`)).toEqual(
    expect.arrayContaining(["admin open", "admin open-done", "admin close", "admin close-done"]),
  );
  expect(await answer("/api/v1/journal/verify")).toMatchObject({ fits: true });
});

test("what the fleet file opens is in the list, and why says whose it is", async () => {
  const { entries } = await answer<{ entries: readonly Opening[] }>("/api/v1/openings?by=fleet");
  expect(entries).toMatchObject([{ to: "2001:db8:1234:321d:22::80", grantedBy: "fleet.yaml" }]);
  const { opening } = await answer<{ opening: Opening }>(
    `/api/v1/openings/${encodeURIComponent(entries[0]?.id ?? "")}`,
  );
  expect(opening).toEqual(entries[0]);
  expect(await answer("/api/v1/status")).toMatchObject({ openings: 1, gateway: { reached: true, drift: 0 } });
  const chain = await chainOf(`[${opening.to}]:443`);
  expect(chain.slice(2)).toEqual(whole.slice(2));
});

test("what happens is told as it happens, and agents are invited and revoked", async () => {
  const headers = { authorization: `Bearer ${readFileSync(join(folder, "token"), "utf8").trim()}` };
  const asked = request({ socketPath: join(folder, "s"), path: "/api/v1/events", headers, agent: false });
  const told: string[] = [];
  const listening = new Promise<void>((resolve, reject) => {
    asked.on("error", reject);
    asked.on("response", (response) => {
      void (async () => {
        for await (const { event } of readEvents(response)) {
          told.push(event);
          if (event === "closed") break;
        }
        response.destroy();
        resolve();
      })();
    });
  });
  asked.end();
  while (
    parseMetrics((await ask("/metrics")).text)
      .get("sixgate_event_listeners")
      ?.samples.get("sixgate_event_listeners") !== 1
  )
    continue;
  rig.snapshot(started, "vm1", report(1, { open: "80", on: [a1] }));
  await started.settled();
  rig.gone(started, "vm1", 1);
  await started.settled();
  await listening;
  expect(told).toEqual(["ready", "agent", "opened", "closed"]);
  expect(await answer("/api/v1/agents/vm1/invite", {})).toMatchObject({ host: "vm1", token: expect.any(String) });
  const revoked = await ask("/api/v1/agents/vm1/revoke", { method: "POST", body: { reason: "sold" } });
  expect([revoked.status, JSON.parse(revoked.text)]).toMatchObject([422, { errors: [{ code: "E932" }] }]);
});
