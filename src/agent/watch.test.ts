import { afterEach, describe, expect, test } from "vitest";
import { canary, FakeEngine, flavours } from "../../test/fake-engine.ts";
import { until } from "../../test/trust.ts";
import type { ContainerReport } from "../openings/container-report.ts";
import { parseLabels } from "../openings/labels.ts";
import { Board, type BoardChange } from "./board.ts";
import { engineClient } from "./engine-client.ts";
import { readAgentFrame } from "./frames.ts";
import { watchEngine } from "./watch.ts";

let endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.reverse()) await end();
  endings = [];
});

type Watched = {
  readonly engine: FakeEngine;
  readonly board: Board;
  readonly changes: BoardChange[];
  readonly log: string[];
};

async function engineOf(version: keyof typeof flavours = "28.5"): Promise<FakeEngine> {
  const engine = await FakeEngine.start(flavours[version]);
  endings.push(() => engine.end());
  return engine;
}

async function watched(engine: FakeEngine, relist = 60_000): Promise<Watched> {
  const board = new Board();
  const changes: BoardChange[] = [];
  const log: string[] = [];
  board.watch((change) => void changes.push(change));
  const say = (text: string): void => void log.push(text);
  const client = engineClient(engine.path);
  const stop = new AbortController();
  const running = watchEngine({ client, board, log: { info: say, warn: say, error: say }, relist }, stop.signal);
  endings.push(async () => {
    stop.abort();
    await running;
    client.end();
  });
  await until(() => board.complete, "the first listing");
  return { engine, board, changes, log };
}

function textOf({ name, state, endpoints }: ContainerReport): string {
  return `${name} ${state} ${endpoints
    .map((each) => `${each.network} ${each.address}`)
    .sort()
    .join(", ")}`;
}

function byId(texts: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(texts.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function shown(board: Board): Readonly<Record<string, string>> {
  return byId([...board.reports.values()].map((each) => [each.id, textOf(each)]));
}

async function settled({ engine, board }: Watched): Promise<void> {
  const truth = (): string => JSON.stringify(byId([...engine.model.truth()]));
  await until(() => JSON.stringify(shown(board)) === truth(), `the board to show ${truth()}`);
}

describe.each(Object.keys(flavours) as (keyof typeof flavours)[])("watchEngine, engine %s", (version) => {
  test("follows start, stop, pause, rename, restart, networks that come and go, and removal", async () => {
    const engine = await engineOf(version);
    const before = engine.model.create({ name: "before" });
    engine.model.start(before);
    const all = await watched(engine);
    await settled(all);
    const { model } = engine;
    const [, second = ""] = model.networkIds;
    const id = model.create({ name: "web" });
    const steps = [
      () => model.attach(id),
      () => model.start(id),
      () => model.join(id, second),
      () => model.pause(id),
      () => model.rename(id, "shop"),
      () => model.resume(id),
      () => model.part(id, second),
      () => {
        model.kill(id);
        model.start(id);
      },
      () => model.kill(id, true),
      () => model.settle(),
      () => model.remove(before),
    ];
    for (const step of steps) {
      engine.act(step);
      await settled(all);
    }
    expect(shown(all.board)).toEqual({});
    expect(all.log).toEqual([]);
  });

  test("asks nothing but GETs that show no environment, in the API that both know", async () => {
    const engine = await engineOf(version);
    const all = await watched(engine);
    engine.act((model) => model.start(model.create()));
    await settled(all);
    const api = { "20.10": "1.41", "26.1": "1.45", "28.5": "1.51", "29": "1.52" }[version];
    expect(all.board.facts).toEqual({ engine: flavours[version].version, api });
    const kinds = new Set(engine.asked.map((each) => each.replace(/[0-9a-f]{64}|sha256:\w+|sha256%3A\w+/, "ID")));
    expect([...kinds].sort()).toEqual(
      [
        "GET /version",
        `GET /v${api}/events`,
        `GET /v${api}/containers/json`,
        `GET /v${api}/networks/ID`,
        `GET /v${api}/images/ID/json`,
      ].sort(),
    );
    // Not even where an engine shows one: the image's environment, a command, mounts, other labels.
    expect(JSON.stringify([...all.board.reports.values()])).not.toContain(canary);
  });
});

/** Labels as nobody means them; each with something too much, beside a rule that is fine by itself. */
const long = "x".repeat(200_000);
const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`sixgate.rule.r${n}.ports`, "80"] as const));
const strange: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["a container with a value that is too long", { "sixgate.open": `80${" ".repeat(5_000)} from 2001:db8::/32` }],
  ["a container with too many labels", many],
  ["a container with labels that are too long together", { "sixgate.open": "80", "sixgate.note": long }],
  ["a container with labels of control characters", { "sixgate.open": "\u0000\u202e\ud800".repeat(1_300) }],
  ["a container with strange keys", { "sixgate.__proto__": "80", "sixgate.": "80", [`sixgate.${long}`]: "80" }],
];

describe("watchEngine", () => {
  test("reports a container before its process runs, with the time of the event", async () => {
    const all = await watched(await engineOf());
    all.engine.act((model) => model.attach(model.create({ name: "web" })));
    await settled(all);
    const change = all.changes.find((each) => each.put.length > 0);
    expect(change?.put.map(textOf)).toEqual(["web starting bridge 2001:db8:1:2:21::2"]);
    expect(change?.at).toBe(all.engine.model.events[0]?.at);
  });

  test("reads ports, Compose's names and the image, and tells apart whose labels they are", async () => {
    const engine = await engineOf();
    engine.images.set("sha256:b", { "sixgate.open": "22", "sixgate.note": "base", other: "x" });
    engine.model.start(
      engine.model.create({
        name: "web",
        image: "sha256:b",
        labels: { "sixgate.open": "80", "sixgate.note": "base", "sixgate.own": "1" },
      }),
    );
    const { board } = await watched(engine);
    expect([...board.reports.values()]).toMatchObject([
      {
        name: "web",
        project: "shop",
        image: "web",
        imageId: "sha256:b",
        mode: "bridge",
        labels: { "sixgate.open": "80", "sixgate.own": "1" },
        imageLabels: { "sixgate.note": "base" },
        published: [{ transport: "tcp", ports: { first: 80, last: 80 } }],
        exposed: [{ transport: "tcp", ports: { first: 90, last: 91 } }],
      },
    ]);
  });

  test("no label counts where the image isn't there any more", async () => {
    const engine = await engineOf();
    engine.model.start(engine.model.create({ image: "sha256:gone" }));
    const { board, log } = await watched(engine);
    expect([...board.reports.values()]).toMatchObject([{ labels: {}, imageLabels: { "sixgate.open": "80" } }]);
    expect(log.join()).toContain("no sixgate label of its containers counts");
  });

  test("takes up again after the stream ended, with what happened meanwhile", async () => {
    const all = await watched(await engineOf());
    const { engine } = all;
    const id = engine.model.create();
    engine.act((model) => model.start(id));
    await settled(all);
    engine.deaf = true;
    engine.act((model) => {
      model.remove(id);
      model.start(model.create());
    });
    engine.deaf = false;
    engine.cut();
    await settled(all);
    await until(() => engine.streams === 1, "a new stream");
    engine.act((model) => model.start(model.create()));
    await settled(all);
  });

  test("finds what the engine never told by listing again", async () => {
    const all = await watched(await engineOf(), 100);
    const { engine } = all;
    const id = engine.model.create();
    engine.deaf = true;
    engine.act((model) => model.start(id));
    await settled(all);
    engine.act((model) => model.kill(id));
    await settled(all);
  });

  test("removes nothing for a list that failed, and nothing while the engine is away", async () => {
    const all = await watched(await engineOf(), 50);
    const { engine, board } = all;
    engine.act((model) => model.start(model.create({ name: "web" })));
    await settled(all);
    const before = shown(board);
    const asked = engine.asked.length;
    engine.failing = 3;
    await until(() => engine.asked.length > asked + 6 && engine.failing === 0, "the failures");
    expect(shown(board)).toEqual(before);
    expect(all.changes.every((change) => change.gone.length === 0)).toBe(true);
    await engine.down();
    await until(() => all.log.filter((line) => line.includes("does not answer")).length > 2, "some attempts");
    expect(shown(board)).toEqual(before);
    await engine.up();
    await until(() => engine.streams === 1, "a new stream");
    engine.act((model) => model.start(model.create({ name: "second" })));
    await settled(all);
    expect(all.changes.every((change) => change.gone.length === 0)).toBe(true);
  });

  test("after a restart of the engine that ended the containers they are gone, and renumbered ones there", async () => {
    const all = await watched(await engineOf());
    const { engine } = all;
    const [a, b] = [engine.model.create({ name: "a" }), engine.model.create({ name: "b" })];
    engine.act((model) => {
      model.start(a);
      model.start(b);
    });
    await settled(all);
    engine.deaf = true;
    engine.act((model) => {
      model.kill(a);
      model.kill(b);
      model.start(b);
    });
    await engine.down();
    engine.deaf = false;
    await engine.up();
    await settled(all);
    expect(shown(all.board)).toEqual({ [b]: "b running bridge 2001:db8:1:2:21::2" });
  });

  test("takes 1,024 events in one go as few changes, and loses none", async () => {
    const all = await watched(await engineOf());
    const { engine } = all;
    engine.act((model) => {
      for (let n = 0; n < 256; n++) {
        const id = model.create();
        model.start(id);
        if (n % 2 === 0) model.kill(id);
      }
    });
    expect(engine.model.events.length).toBeGreaterThanOrEqual(768);
    await settled(all);
    expect(all.board.reports.size).toBe(128);
    expect(all.changes.length).toBeLessThan(64);
  });

  test("lists again after an event that it can't read, and is not led astray by labels in events", async () => {
    const all = await watched(await engineOf());
    const { engine } = all;
    const other = engine.model.create({ name: "other" });
    engine.act((model) => model.start(other));
    await settled(all);
    engine.deaf = true;
    engine.act((model) => model.start(model.create({ name: "unheard" })));
    engine.deaf = false;
    engine.say("{not json}\n");
    await settled(all);
    engine.deaf = true;
    engine.act((model) => model.start(model.create({ name: "unheard too" })));
    engine.deaf = false;
    engine.say(`${"x".repeat(2_000_000)}\n`);
    await settled(all);
    // A label that overrides an attribute.
    engine.act((model) => model.start(model.create({ labels: { container: other, action: "die" } })));
    await settled(all);
  });

  test("an event that comes twice is heard once", async () => {
    const all = await watched(await engineOf());
    const { engine } = all;
    engine.act((model) => model.start(model.create()));
    await settled(all);
    const asked = engine.asked.length;
    for (const event of engine.model.events) engine.say(engine.eventLine(event).repeat(3));
    engine.act((model) => model.start(model.create()));
    await settled(all);
    expect(engine.asked.length - asked).toBeLessThan(6);
  });

  test.each(strange)("what it reports of %s is a frame that a controller takes", async (_, labels) => {
    const engine = await engineOf();
    engine.model.start(engine.model.create({ name: "n".repeat(5_000), labels }));
    const { board } = await watched(engine);
    const [report] = board.reports.values();
    const line = JSON.stringify({ t: "delta", s: 1, put: [report], gone: [] });
    expect(readAgentFrame(line)).toMatchObject({ t: "delta" });
    expect(line.length).toBeLessThan(60_000);
    // Whatever was too much: nothing of it can be read as less, or as more.
    expect(parseLabels(report?.labels ?? {}).rules).toEqual([]);
    expect(parseLabels(report?.labels ?? {}).problems).not.toEqual([]);
  });
});
