import { chmod, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, createServer, type TLSSocket } from "node:tls";
import { afterEach, describe, expect, test, vi } from "vitest";
import { idOf, RawAgent, reportOf, type Trust, trust, until, vm1, vm2 } from "../../test/trust.ts";
import { Board } from "../agent/board.ts";
import { connectController } from "../agent/connect.ts";
import { enrolAgent } from "../agent/enrol.ts";
import { readIdentity } from "../agent/identity.ts";
import { reportAlways } from "../agent/run.ts";
import { agentProtocol, enrolProtocol } from "../agent/wire.ts";
import { instant } from "../base/time.ts";
import { address } from "../net/address.ts";
import { prefix } from "../net/prefix.ts";
import { openAuthority } from "./authority.ts";
import { standardQuota } from "./room.ts";

let endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.reverse()) await end();
  endings = [];
});

async function made(options?: Parameters<typeof trust>[0]): Promise<Trust> {
  const fleet = await trust(options);
  endings.push(() => fleet.end());
  return fleet;
}

/** An honest agent with that board; gives its log. */
function honest(folder: string, board: Board): string[] {
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const stop = new AbortController();
  const log = { info: say, warn: say, error: say };
  const running = reportAlways({ folder, board, version: "test", log, firstWait: 10 }, stop.signal).catch(
    (error: unknown) => say(`rejected ${String(error)}`),
  );
  endings.push(async () => {
    stop.abort();
    await running;
  });
  return said;
}

function boardOf(...numbers: readonly number[]): Board {
  const board = new Board();
  board.change({ put: numbers.map((n) => reportOf(n)), gone: [] }, true);
  return board;
}

/** Somebody between: a TLS server with that pair, which keeps what it is told. */
async function impostor(pair: {
  readonly key: string;
  readonly cert: string;
}): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = [];
  const options = {
    ...pair,
    ALPNProtocols: [agentProtocol, enrolProtocol],
    requestCert: true,
    rejectUnauthorized: false,
  };
  const sockets = new Set<TLSSocket>();
  const server = createServer(options, (socket) => {
    sockets.add(socket);
    socket.on("data", (chunk: Buffer) => heard.push(chunk.toString()));
    socket.on("error", () => undefined);
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "::1", resolve));
  endings.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, heard };
}

describe("who is believed", () => {
  test("an agent of another authority gets no further than its handshake", async () => {
    const [fleet, other] = [await made(), await made()];
    const folder = await other.enrolled(vm1);
    const stranger = new RawAgent(await readIdentity(folder), fleet.inbox.port, { rejectUnauthorized: false });
    endings.push(async () => stranger.socket.destroy());
    await stranger.connected;
    stranger.begin([reportOf(1)]);
    expect(await stranger.bye()).toBe("unknown");
    expect(fleet.sink.said).toEqual([]);
    expect(fleet.log.join()).toContain("certificate not accepted");
  });

  test("an agent with no certificate at all gets none either", async () => {
    const fleet = await made();
    const folder = await fleet.enrolled(vm1);
    const { authority } = await readIdentity(folder);
    const socket = connect({
      host: "::1",
      port: fleet.inbox.port,
      ca: authority,
      checkServerIdentity: () => undefined,
      ALPNProtocols: [agentProtocol],
    });
    endings.push(async () => socket.destroy());
    let heard = "";
    socket.on("data", (chunk: Buffer) => (heard += chunk.toString()));
    await until(() => heard.includes('"bye"'), "the goodbye");
    expect(fleet.sink.said).toEqual([]);
  });

  test("TLS 1.2 and unknown protocols are refused", async () => {
    const fleet = await made();
    const folder = await fleet.enrolled(vm1);
    const attempt = async (more: object): Promise<string> => {
      const { key, certificate, authority } = await readIdentity(folder);
      return new Promise((resolve) => {
        const pair = { key, cert: certificate, ca: authority, checkServerIdentity: () => undefined };
        const socket = connect({
          host: "::1",
          port: fleet.inbox.port,
          ...pair,
          ALPNProtocols: [agentProtocol],
          ...more,
        });
        socket.on("error", (error) => resolve(error.message));
        socket.on("secureConnect", () => socket.end(() => resolve("connected")));
      });
    };
    expect(await attempt({})).toBe("connected");
    expect(await attempt({ maxVersion: "TLSv1.2" })).toMatch(/protocol version/i);
    expect(await attempt({ ALPNProtocols: ["http/1.1"] })).toMatch(/no application protocol/i);
  });

  test("an agent says nothing to a controller of another authority, nor to another host that plays controller", async () => {
    const [fleet, other] = [await made(), await made()];
    const folder = await fleet.enrolled(vm1);
    const identity = await readIdentity(folder);
    const wish = { protocol: agentProtocol, trust: { authority: identity.authority }, pair: identity };
    const foreign = await other.authority.issueForController(["::1"], 3_600_000);
    const stolen = await readIdentity(await fleet.enrolled(vm2));
    for (const pair of [
      { key: foreign.key, cert: foreign.certificate },
      { key: stolen.key, cert: stolen.certificate },
    ]) {
      const { port, heard } = await impostor(pair);
      await expect(connectController({ ...wish, controller: { host: "::1", port } })).rejects.toThrow(/E922/);
      expect(heard).toEqual([]);
    }
  });

  test("enrolAgent does not show its token to anybody but the controller that it is of", async () => {
    const [fleet, other] = [await made(), await made()];
    const token = await fleet.token(vm1);
    const foreign = await other.authority.issueForController(["::1"], 3_600_000);
    // One that has the real authority's certificate to show, but no key of its.
    const shown = {
      key: foreign.key,
      cert: foreign.certificate.replace(other.authority.certificate, fleet.authority.certificate),
    };
    for (const pair of [{ key: foreign.key, cert: foreign.certificate }, shown]) {
      const { port, heard } = await impostor(pair);
      await expect(enrolAgent({ host: "::1", port }, token, join(fleet.folder, "x"))).rejects.toThrow(/E922/);
      expect(heard).toEqual([]);
    }
    expect(await enrolAgent({ host: "::1", port: fleet.inbox.port }, token, join(fleet.folder, "x"))).toMatchObject({
      host: "vm1",
    });
  });
});

describe("join tokens", () => {
  test("hold for one use, and the second is an alarm", async () => {
    const fleet = await made();
    const controller = { host: "::1", port: fleet.inbox.port };
    const token = await fleet.token(vm1);
    await enrolAgent(controller, token, join(fleet.folder, "first"));
    await expect(enrolAgent(controller, token, join(fleet.folder, "second"))).rejects.toThrow(/E921.*used before/);
    expect(fleet.sink.alarms).toMatchObject([{ host: "vm1", kind: "token" }]);
    await expect(stat(join(fleet.folder, "second"))).rejects.toThrow();
  });

  test("of ten uses at the same moment one succeeds", async () => {
    const fleet = await made();
    const controller = { host: "::1", port: fleet.inbox.port };
    const token = await fleet.token(vm1);
    const all = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => enrolAgent(controller, token, join(fleet.folder, `at-once-${n}`))),
    );
    expect(all.filter((each) => each.status === "fulfilled")).toHaveLength(1);
    expect(fleet.sink.alarms.length).toBeGreaterThan(0);
  });

  test("end after an hour whatever is asked, are known by hash alone, and a new one ends the one before", async () => {
    const fleet = await made();
    const controller = { host: "::1", port: fleet.inbox.port };
    const invited = await fleet.enrolment.invite(vm1, 1e12);
    expect(invited.ends - Date.now()).toBeLessThanOrEqual(3_600_000);
    const old = await fleet.token(vm1);
    const token = await fleet.token(vm1);
    await expect(enrolAgent(controller, old, join(fleet.folder, "x"))).rejects.toThrow(/E921 No such token/);
    const guess = { ...token, secret: "x".repeat(43) };
    await expect(enrolAgent(controller, guess, join(fleet.folder, "x"))).rejects.toThrow(/E921 No such token/);
    fleet.ahead(3_601_000);
    await expect(enrolAgent(controller, token, join(fleet.folder, "x"))).rejects.toThrow(/E921 The token has ended/);
    expect(fleet.sink.alarms).toEqual([]);
    expect(JSON.stringify(await fleet.entries())).not.toContain(token.secret);
  });

  test("key and certificate are their owner's alone; the key never left", async () => {
    const fleet = await made();
    const folder = await fleet.enrolled(vm1);
    expect((await stat(join(folder, "identity.pem"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(fleet.folder, "controller", "authority.key"))).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(await fleet.entries())).not.toContain("PRIVATE");
  });
});

describe("certificates", () => {
  test("that have ended are refused, and end a live connection, with the controller's time to judge by", async () => {
    const fleet = await made();
    const folder = await fleet.enrolled(vm1);
    const live = await fleet.raw(folder);
    live.begin();
    await live.got("ack");
    fleet.ahead(25 * 3_600_000);
    live.write({ t: "beat", s: 3, at: 0 });
    expect(await live.bye()).toBe("expired");
    const late = await fleet.raw(folder);
    late.hello();
    expect(await late.bye()).toBe("expired");
    const bye = await late.got("bye");
    expect(bye.t === "bye" && bye.at - Date.now()).toBeGreaterThan(24 * 3_600_000);
  });

  test("that OpenSSL finds ended are told so, too", async () => {
    const fleet = await made({ lifetime: 1_000 });
    const folder = await fleet.enrolled(vm1);
    await sleep(1_500);
    const late = await fleet.raw(folder);
    expect(await late.bye()).toBe("expired");
    expect(fleet.sink.said).toEqual([]);
  });

  test("are renewed by the agent at half their life, and the old one is a clone's from then on", async () => {
    const fleet = await made({ lifetime: 8_000 });
    const folder = await fleet.enrolled(vm1);
    const old = await readIdentity(folder);
    const said = honest(folder, boardOf(1));
    await until(() => said.some((text) => text.includes("renewed")), "the renewal");
    await until(() => fleet.sink.said.filter((each) => each === "snapshot vm1 1").length > 1, "the new connection");
    const fresh = await readIdentity(folder);
    expect(fresh.key).not.toBe(old.key);
    const [record] = await fleet.enrolment.agents();
    expect(record?.generation).toBeGreaterThan(1);
    const clone = new RawAgent(old, fleet.inbox.port, {});
    endings.push(async () => clone.socket.destroy());
    clone.hello();
    expect(await clone.bye()).toBe("clone");
    expect(fleet.sink.alarms).toMatchObject([{ host: "vm1", kind: "clone" }]);
    // It is the half that it waits for, not a renewal at once.
    expect(record?.generation).toBeLessThan(4);
  });

  test("stay good when the answer to a renewal got lost", async () => {
    const fleet = await made();
    const folder = await fleet.enrolled(vm1);
    const first = await fleet.raw(folder);
    first.hello();
    await first.got("welcome");
    const { freshKey } = await import("../agent/identity.ts");
    const renew = (agent: RawAgent): void => {
      const key = freshKey();
      const exported = agent.socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
      agent.write({ t: "renew", key: key.open, proof: key.prove("renew", exported) });
    };
    renew(first);
    await first.got("renewed");
    first.write({ t: "bye" });
    await until(() => first.closed, "the end");
    const second = await fleet.raw(folder);
    second.hello();
    await second.got("welcome");
    renew(second);
    await second.got("renewed");
    expect((await fleet.enrolment.agents())[0]?.generation).toBe(1);
  });

  test("are given for no key that isn't shown to be there", async () => {
    const fleet = await made();
    const agent = await fleet.raw(await fleet.enrolled(vm1));
    agent.hello();
    await agent.got("welcome");
    const { freshKey } = await import("../agent/identity.ts");
    const key = freshKey();
    // Signed over another connection.
    agent.write({ t: "renew", key: key.open, proof: key.prove("renew", Buffer.alloc(32)) });
    expect(await agent.bye()).toBe("malformed");
  });

  test("of a revoked host end its connection at once, and let nobody in again", async () => {
    const fleet = await made();
    const folder = await fleet.enrolled(vm1);
    const live = await fleet.raw(folder);
    live.begin([reportOf(1)]);
    await live.got("ack");
    await fleet.enrolment.revoke(vm1, "the disk was sold");
    expect(await live.bye()).toBe("revoked");
    expect(fleet.sink.said.at(-1)).toBe("lost vm1");
    const again = await fleet.raw(folder);
    again.hello();
    expect(await again.bye()).toBe("revoked");
    const said = honest(folder, boardOf(1));
    await until(() => said.some((text) => text.includes("rejected")), "the agent's end");
    expect(said.join()).toContain("E928 This host was revoked: the disk was sold");
    const anew = await fleet.raw(await fleet.enrolled(vm1));
    anew.hello();
    await anew.got("welcome");
    await expect(fleet.enrolment.revoke(vm2, "x")).rejects.toThrow(/E932/);
  });

  test("of an enrolment before another one are replaced by it", async () => {
    const fleet = await made();
    const folder = await fleet.enrolled(vm1);
    const live = await fleet.raw(folder);
    live.hello();
    await live.got("welcome");
    await fleet.enrolled(vm1);
    expect(await live.bye()).toBe("replaced");
    const old = await fleet.raw(folder);
    old.hello();
    expect(await old.bye()).toBe("clone");
  });
});

describe("reports", () => {
  test("that come again end the connection: in one connection, in the next, from an earlier start", async () => {
    const fleet = await made();
    const folder = await fleet.enrolled(vm1);
    const first = await fleet.raw(folder);
    first.begin([reportOf(1)]);
    const delta = { t: "delta", s: 4, put: [], gone: [idOf(1)] };
    first.write(delta, delta);
    expect(await first.bye()).toBe("replay");
    expect(fleet.sink.hosts.get("vm1")?.size).toBe(0);

    const second = await fleet.raw(folder);
    second.hello(2, first.epoch);
    expect(await second.bye()).toBe("replay");

    const third = await fleet.raw(folder);
    third.hello();
    await third.got("welcome");
    third.write({ t: "bye" });
    await until(() => third.closed, "the end");
    const fourth = await fleet.raw(folder);
    fourth.hello(100, first.epoch);
    expect(await fourth.bye()).toBe("replay");
    expect(fleet.sink.alarms.map((each) => each.kind)).toEqual(["replay", "replay", "replay"]);
  });

  test("with a gap count for nothing until a snapshot came, which is asked for once", async () => {
    const fleet = await made();
    const agent = await fleet.raw(await fleet.enrolled(vm1));
    agent.begin([reportOf(1)]);
    agent.write({ t: "delta", s: 6, put: [reportOf(2)], gone: [] }, { t: "delta", s: 7, put: [reportOf(3)], gone: [] });
    await agent.got("resync");
    expect([...(fleet.sink.hosts.get("vm1")?.keys() ?? [])]).toEqual([idOf(1)]);
    agent.write({ t: "begin", s: 8, engine: "", api: "" }, { t: "end", s: 9, count: 0 });
    await until(() => fleet.sink.hosts.get("vm1")?.size === 0, "the snapshot");
    expect(agent.frames.filter((frame) => frame.t === "resync")).toHaveLength(1);
    // The last report got lost, and a beat tells.
    agent.write({ t: "beat", s: 10, at: 0 });
    await until(() => agent.frames.filter((frame) => frame.t === "resync").length === 2, "another resync");
    expect(fleet.sink.alarms).toEqual([]);
  });

  test("before any snapshot count for nothing", async () => {
    const fleet = await made();
    const agent = await fleet.raw(await fleet.enrolled(vm1));
    agent.hello();
    agent.write({ t: "delta", s: 1, put: [reportOf(1)], gone: [] });
    await agent.got("resync");
    expect(fleet.sink.said).toEqual(["seen vm1"]);
  });

  test("of addresses outside the host's block lose them, and it is an alarm, once for each", async () => {
    const fleet = await made();
    const agent = await fleet.raw(await fleet.enrolled(vm1));
    const [own] = reportOf(1).endpoints;
    if (own === undefined) throw new Error("no endpoint");
    const foreign = { ...own, networkId: idOf(2), address: address("2001:db8:1:2:31::2") };
    agent.begin([reportOf(1, { endpoints: [own, foreign] }), reportOf(2, { endpoints: [foreign] })]);
    await agent.got("ack");
    const known = fleet.sink.hosts.get("vm1");
    expect(known?.get(idOf(1))?.endpoints).toEqual([own]);
    expect(known?.get(idOf(2))?.endpoints).toEqual([]);
    expect(fleet.sink.alarms).toMatchObject([{ host: "vm1", kind: "foreign" }]);
    agent.write({ t: "delta", s: 4, put: [reportOf(2, { endpoints: [foreign] })], gone: [] });
    await until(() => fleet.sink.deltas === 1, "the delta");
    expect(fleet.sink.alarms).toHaveLength(1);
  });

  test("an honest agent names no address but those of its block", async () => {
    const fleet = await made();
    const board = boardOf(1);
    const other = { network: "ula", networkId: idOf(2), address: address("fd00::2") };
    board.change({ put: [reportOf(2, { endpoints: [other] })], gone: [] }, true);
    honest(await fleet.enrolled(vm1), board);
    await until(() => fleet.sink.hosts.get("vm1")?.size === 2, "the snapshot");
    expect(fleet.sink.hosts.get("vm1")?.get(idOf(2))?.endpoints).toEqual([]);
    expect(fleet.sink.alarms).toEqual([]);
  });

  test("go on by the new block when a host's block is another one", async () => {
    let block = prefix("2001:db8:1:2:20::/76");
    const fleet = await made({ blockOf: () => block });
    honest(await fleet.enrolled(vm1), boardOf(1));
    await until(() => fleet.sink.hosts.get("vm1")?.get(idOf(1))?.endpoints.length === 1, "the snapshot");
    block = prefix("2001:db8:1:2:40::/76");
    fleet.inbox.moved();
    await until(() => fleet.sink.hosts.get("vm1")?.get(idOf(1))?.endpoints.length === 0, "another snapshot");
    expect(fleet.sink.alarms).toEqual([]);
  });
});

describe("two that speak for one host", () => {
  test("the second is refused while the first answers, and it is an alarm", async () => {
    const fleet = await made();
    const folder = await fleet.enrolled(vm1);
    honest(folder, boardOf(1));
    await until(() => fleet.sink.hosts.get("vm1")?.size === 1, "the snapshot");
    const clone = await fleet.raw(folder);
    clone.begin([]);
    expect(await clone.bye()).toBe("clone");
    expect(fleet.sink.alarms).toMatchObject([{ host: "vm1", kind: "clone" }]);
    expect(fleet.sink.hosts.get("vm1")?.size).toBe(1);
    expect(fleet.sink.said).not.toContain("lost vm1");
  });

  test("one that lost its power makes way for the next", async () => {
    const fleet = await made({ patience: { hello: 10_000, silence: 30_000, there: 300 } });
    const folder = await fleet.enrolled(vm1);
    const dead = await fleet.raw(folder);
    dead.begin([reportOf(1)]);
    await dead.got("ack");
    honest(folder, boardOf(1, 2));
    await until(() => fleet.sink.hosts.get("vm1")?.size === 2, "the next one's snapshot");
    expect(dead.frames.some((frame) => frame.t === "there")).toBe(true);
    expect(fleet.sink.alarms).toEqual([]);
  });
});

describe("what is no report", () => {
  const lines: readonly (readonly [string, string])[] = [
    ["not JSON", "{"],
    ["no frame", '{"t":"what"}'],
    ["an unknown key", '{"t":"beat","s":3,"at":0,"more":1}'],
    [
      "a label that is not sixgate's",
      JSON.stringify({ t: "delta", s: 4, gone: [], put: [reportOf(1, { labels: { other: "x" } })] }),
    ],
    ["an id that is none", '{"t":"delta","s":4,"put":[],"gone":["../../etc"]}'],
    [
      "an address in another form",
      '{"t":"delta","s":4,"gone":[],"put":[' + JSON.stringify(reportOf(1)).replace("21::3", "21:0::3") + "]}",
    ],
    ["a second hello", '{"t":"hello","epoch":"' + "0".repeat(32) + '","s":3,"version":"","engine":"","api":"","at":0}'],
    ["a part of nothing", '{"t":"part","s":4,"put":[]}'],
    ["a snapshot with less than it says", '{"t":"begin","s":4,"engine":"","api":""}\n{"t":"end","s":5,"count":1}'],
    ["a line without end", `{"t":"beat","at":${"1".repeat(70_000)}`],
  ];
  test.each(lines)("%s ends the connection with an alarm, and what came before counts", async (_, line) => {
    const fleet = await made();
    const agent = await fleet.raw(await fleet.enrolled(vm1));
    agent.begin([reportOf(9)]);
    agent.socket.write(`${line}\n`);
    expect(await agent.bye()).toBe("malformed");
    expect(fleet.sink.alarms).toMatchObject([{ host: "vm1", kind: "malformed" }]);
    expect(fleet.sink.said.filter((each) => each !== "seen vm1")).toEqual(["snapshot vm1 1", "lost vm1"]);
  });

  test("more containers than a host may have are a flood", async () => {
    const fleet = await made({ quota: { ...standardQuota, containers: 5 } });
    const agent = await fleet.raw(await fleet.enrolled(vm1));
    agent.begin(Array.from({ length: 6 }, (_, n) => reportOf(n)));
    expect(await agent.bye()).toBe("flood");
    expect(fleet.sink.alarms).toMatchObject([{ kind: "flood" }]);
  });
});

describe("who takes more than its share", () => {
  test("10,000 reports a second of one agent leave another served at once", async () => {
    const fleet = await made();
    const flooder = await fleet.raw(await fleet.enrolled(vm2));
    flooder.begin();
    await flooder.got("ack");
    const board = boardOf(1);
    honest(await fleet.enrolled(vm1), board);
    await until(() => fleet.sink.hosts.get("vm1")?.size === 1, "the honest one's snapshot");
    let s = 3;
    let sent = 0;
    const flood = setInterval(() => {
      // What is not read any more is not written either, or this test would be the one that grows.
      for (let n = 0; n < 200 && !flooder.socket.writableNeedDrain; n++) {
        s++;
        sent++;
        flooder.write({ t: "delta", s, put: [reportOf(s % 1000, {}, "31")], gone: [] });
      }
    }, 20);
    endings.push(async () => clearInterval(flood));
    const took: number[] = [];
    for (let n = 0; n < 150; n++) {
      const began = performance.now();
      const name = `round ${n}`;
      board.change({ put: [reportOf(1, { name })], gone: [] }, true);
      await until(() => fleet.sink.hosts.get("vm1")?.get(idOf(1))?.name === name, name);
      took.push(performance.now() - began);
      await sleep(20);
    }
    clearInterval(flood);
    expect(fleet.sink.alarms.filter((each) => each.kind === "flood")).toMatchObject([{ host: "vm2" }]);
    expect(fleet.sink.alarms.every((each) => each.kind === "flood")).toBe(true);
    // A tenth of its flood is gathered, not one call of the sink for each; the rest waits where it comes from.
    expect(fleet.sink.deltas).toBeLessThan(sent / 2);
    expect(fleet.sink.hosts.get("vm2")?.size).toBeGreaterThan(0);
    expect(took).toHaveLength(150);
    console.log(`honest: p50 ${took.toSorted((a, b) => a - b)[75]?.toFixed(1)} ms, ${sent} reports of the other`);
  });

  test("connections that say nothing are let go, and let others in meanwhile", async () => {
    const fleet = await made({ patience: { hello: 700, silence: 30_000, there: 300 } });
    const folder = await fleet.enrolled(vm1);
    const idle = Array.from({ length: 400 }, () => connectPlain({ host: "::1", port: fleet.inbox.port }));
    let closed = 0;
    for (const socket of idle) {
      socket.on("error", () => undefined);
      socket.on("close", () => closed++);
      endings.push(async () => void socket.destroy());
    }
    await until(() => closed > 0, "the first to go: there are too many");
    // Half a hello, byte by byte.
    const slow = await fleet.raw(folder);
    const drip = setInterval(() => slow.socket.write("{"), 50);
    endings.push(async () => clearInterval(drip));
    const good = await fleet.raw(folder);
    good.hello();
    await good.got("welcome");
    await until(() => closed === idle.length && slow.closed, "the end of all of them");
    expect(good.closed).toBe(false);
  });

  test("an agent that falls silent is let go", async () => {
    const fleet = await made({ patience: { hello: 5_000, silence: 400, there: 300 } });
    const agent = await fleet.raw(await fleet.enrolled(vm1));
    agent.begin([reportOf(1)]);
    expect(await agent.bye()).toBe("late");
    expect(fleet.sink.said.at(-1)).toBe("lost vm1");
  });
});

describe("openAuthority", () => {
  const now = (): ReturnType<typeof instant> => instant(Date.now());

  test("makes one, and finds the same again", async () => {
    const { folder, authority } = await made();
    expect((await openAuthority(join(folder, "controller"), now)).fingerprint).toBe(authority.fingerprint);
  });

  test("refuses half of one, two halves of two, and a key that others may read", async () => {
    const { folder } = await made();
    const [own, other] = [join(folder, "controller"), join(folder, "other")];
    await openAuthority(other, now);
    const key = await readFile(join(own, "authority.key"), "utf8");
    await writeFile(join(own, "authority.key"), await readFile(join(other, "authority.key"), "utf8"));
    await expect(openAuthority(own, now)).rejects.toThrow(/E920.*don't belong together/);
    await writeFile(join(own, "authority.key"), key);
    await chmod(join(own, "authority.key"), 0o640);
    await expect(openAuthority(own, now)).rejects.toThrow(/E920.*Others may read/);
    await chmod(join(own, "authority.key"), 0o600);
    await openAuthority(own, now);
    await rm(join(own, "authority.crt"));
    await expect(openAuthority(own, now)).rejects.toThrow(/E920.*authority.crt is missing/);
  });
});

test("startInbox takes a new certificate with a new key each day, and says so to nobody", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const fleet = await made();
    const controller = { host: "::1", port: fleet.inbox.port };
    const serial = async (): Promise<string> => {
      const socket = await connectController({ controller, protocol: enrolProtocol, trust: "nobody" });
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const first = await serial();
    vi.advanceTimersByTime(60_000);
    await sleep(100);
    expect(await serial()).toBe(first);
    fleet.ahead(25 * 3_600_000);
    vi.advanceTimersByTime(60_000);
    let now = first;
    for (let n = 0; n < 100 && now === first; n++) {
      await sleep(50);
      now = await serial();
    }
    expect(now).not.toBe(first);
  } finally {
    vi.useRealTimers();
  }
});
