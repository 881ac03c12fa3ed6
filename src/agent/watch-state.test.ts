import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelEngine } from "../../test/model-engine.ts";
import { type Asked, type View, WatchState } from "./watch-state.ts";

/** A state beside an engine, asked by hand: nothing happens unless the test says so. */
class Bench {
  readonly engine: ModelEngine;
  readonly state = new WatchState();
  #tick = 0;
  #heard = 0;

  constructor(engine = new ModelEngine()) {
    this.engine = engine;
  }

  next(): number {
    this.#tick++;
    return this.#tick;
  }

  /** `calm`: so long after the last event that the engine's list has caught up. */
  ask(calm = false): Asked {
    const began = this.next();
    return { began, quiet: calm ? began : -1 };
  }

  /** All events that were not heard yet, in the engine's order. */
  hear(): void {
    for (const event of this.engine.events.slice(this.#heard)) this.state.event(event, this.next());
    this.#heard = this.engine.events.length;
  }

  list(asked = this.ask(true)): void {
    this.state.listed(this.engine.list(), asked);
  }

  /** Answers all that is wanted, until nothing is. */
  answer(calm = false): void {
    const { news } = this.state;
    for (let round = 0; news.look.size + news.networks.size + (calm ? news.later.size : 0) > 0; round++) {
      if (round > 50) throw new Error("It asks for ever");
      const ids = [...news.look, ...(calm ? news.later : [])];
      news.look.clear();
      if (calm) news.later.clear();
      const sights = ids.map((id) => this.engine.sight(id)).filter((sight) => sight !== undefined);
      if (ids.length > 0) this.state.looked(ids, sights, this.ask(calm));
      const networks = [...news.networks];
      news.networks.clear();
      for (const id of networks) this.state.network(id, this.engine.network(id), this.ask(calm));
    }
  }

  shown(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const id of this.state.ids()) {
      const view = this.state.view(id);
      if (view !== undefined) found.set(id, textOf(view));
    }
    return found;
  }
}

function textOf({ sight, state, endpoints }: View): string {
  return `${sight.name} ${state} ${endpoints
    .map((each) => `${each.network} ${each.address}`)
    .sort()
    .join(", ")}`;
}

function sorted(map: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

describe("WatchState", () => {
  test("shows a container with its address before its process runs", () => {
    const bench = new Bench();
    const id = bench.engine.create({ name: "web" });
    bench.engine.attach(id);
    bench.hear();
    bench.answer();
    expect(bench.shown().get(id)).toBe("web starting bridge 2001:db8:1:2:21::2");
    bench.engine.start(id);
    bench.hear();
    expect(bench.shown().get(id)).toBe("web running bridge 2001:db8:1:2:21::2");
    bench.answer();
    expect(sorted(bench.shown())).toEqual(sorted(bench.engine.truth()));
  });

  test.each([true, false])(
    "closes with the first event of an end, and no list that lags opens again (die first: %s)",
    (dieFirst) => {
      const bench = new Bench(new ModelEngine({ dieFirst }));
      const id = bench.engine.create();
      bench.engine.start(id);
      bench.hear();
      bench.answer();
      bench.engine.kill(id, true);
      const before = bench.engine.events.length - 2;
      const [first] = bench.engine.events.slice(before);
      if (first !== undefined) bench.state.event(first, bench.next());
      expect(bench.shown().get(id) ?? "").not.toContain("2001:");
      // The list still says that it runs.
      expect(bench.engine.sight(id)?.status).toBe("running");
      bench.state.looked(
        [id],
        [bench.engine.sight(id)].filter((each) => each !== undefined),
        bench.ask(),
      );
      bench.state.listed(bench.engine.list(), bench.ask());
      expect(bench.shown().get(id) ?? "").not.toContain("2001:");
      bench.engine.settle();
      bench.answer(true);
      expect(bench.shown()).toEqual(new Map());
    },
  );

  test("gives an address to its newest owner, whatever comes late", () => {
    const bench = new Bench();
    const [a, b] = [bench.engine.create({ name: "a" }), bench.engine.create({ name: "b" })];
    bench.engine.start(a);
    bench.hear();
    bench.answer();
    bench.engine.kill(a, true);
    const late = bench.engine.events.slice(-2);
    bench.engine.attach(b);
    const connect = bench.engine.events.at(-1);
    // The address was given away before its end was told.
    if (connect !== undefined) bench.state.event(connect, bench.next());
    bench.answer();
    expect(bench.shown().get(b)).toBe("b starting bridge 2001:db8:1:2:21::2");
    expect(bench.shown().get(a)).toBe("a running ");
    for (const event of late) bench.state.event(event, bench.next());
    bench.answer();
    expect(sorted(bench.shown())).toEqual([[b, "b starting bridge 2001:db8:1:2:21::2"]]);
    bench.engine.start(b);
    const start = bench.engine.events.at(-1);
    if (start !== undefined) bench.state.event(start, bench.next());
    bench.answer();
    expect(sorted(bench.shown())).toEqual([[b, "b running bridge 2001:db8:1:2:21::2"]]);
  });

  test("a list in which two have one address gives it to nobody", () => {
    const bench = new Bench();
    const [a, b] = [bench.engine.create({ name: "a" }), bench.engine.create({ name: "b" })];
    bench.engine.start(a);
    bench.engine.kill(a, true);
    bench.engine.start(b);
    bench.list();
    expect(bench.shown().get(a)).toBe("a running ");
    expect(bench.shown().get(b)).toBe("b running ");
    bench.engine.settle();
    bench.list();
    expect(sorted(bench.shown())).toEqual([[b, "b running bridge 2001:db8:1:2:21::2"]]);
  });

  test("network connect and disconnect of a running container are told without a start", () => {
    const bench = new Bench();
    const id = bench.engine.create({ name: "web" });
    const [, second = ""] = bench.engine.networkIds;
    bench.engine.start(id);
    bench.engine.join(id, second);
    bench.hear();
    bench.answer();
    expect(bench.shown().get(id)).toBe("web running bridge 2001:db8:1:2:21::2, net1 2001:db8:1:2:22::2");
    bench.engine.part(id, second);
    bench.hear();
    expect(bench.shown().get(id)).toBe("web running bridge 2001:db8:1:2:21::2");
    bench.answer();
    expect(sorted(bench.shown())).toEqual(sorted(bench.engine.truth()));
  });

  test("an answer from before an event can't undo it", () => {
    const bench = new Bench();
    const id = bench.engine.create();
    const early = bench.ask();
    bench.engine.start(id);
    bench.hear();
    bench.answer();
    bench.state.looked([id], [], early);
    bench.state.listed([], early);
    expect(sorted(bench.shown())).toEqual(sorted(bench.engine.truth()));
    const network = bench.engine.network(bench.engine.networkIds[0] ?? "");
    const before = bench.ask();
    bench.engine.kill(id);
    bench.hear();
    bench.state.network(network?.id ?? "", network, before);
    bench.answer();
    expect(bench.shown()).toEqual(new Map());
  });

  test("forgets what is gone", () => {
    const bench = new Bench();
    for (let n = 0; n < 50; n++) {
      const id = bench.engine.create();
      bench.engine.start(id);
      bench.engine.remove(id);
      bench.hear();
      bench.answer();
    }
    bench.list();
    bench.list();
    bench.list();
    expect([...bench.state.ids()]).toEqual([]);
  });
});

/** What somebody does to the engine; numbers choose containers and networks. */
const step = fc.record({
  what: fc.constantFrom(
    "create",
    "attach",
    "start",
    "kill",
    "lag",
    "remove",
    "join",
    "part",
    "pause",
    "resume",
    "rename",
  ),
  container: fc.nat(5),
  network: fc.nat(1),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function act(engine: ModelEngine, { what, container, network }: Step): void {
  const ids = [...engine.containers.keys()];
  const id = ids[container % Math.max(1, ids.length)];
  const net = engine.networkIds[network] ?? "";
  if (what === "create" || id === undefined) {
    if (ids.length < 6) engine.create({ networks: engine.networkIds.slice(0, network + 1) });
    return;
  }
  const acts: Readonly<Record<string, () => void>> = {
    attach: () => engine.attach(id),
    start: () => engine.start(id),
    kill: () => engine.kill(id),
    lag: () => engine.kill(id, true),
    remove: () => engine.remove(id),
    join: () => engine.join(id, net),
    part: () => engine.part(id, net),
    pause: () => engine.pause(id),
    resume: () => engine.resume(id),
    rename: () => engine.rename(id, `n${container}`),
  };
  acts[what]?.();
}

const runs = 10_000;

test("WatchState converges to the engine whatever is lost, doubled or out of order, once it is listed again", () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(step, { maxLength: 40, size: "max" }),
      // Of each event: how late it comes, and how often.
      fc.infiniteStream(fc.record({ late: fc.nat(12), copies: fc.constantFrom(0, 1, 1, 1, 2), answer: fc.boolean() })),
      (dieFirst, steps, fates) => {
        const bench = new Bench(new ModelEngine({ dieFirst }));
        for (const each of steps) act(bench.engine, each);
        const fated = bench.engine.events.flatMap((event, n) => {
          const { value: fate } = fates.next();
          return Array.from({ length: fate.copies }, () => ({ event, at: n + fate.late, answer: fate.answer }));
        });
        fated.sort((a, b) => a.at - b.at);
        for (const { event, answer } of fated) {
          bench.state.event(event, bench.next());
          if (answer) bench.answer();
        }
        // Of one that only begins to start nobody but its `connect` tells.
        for (const id of bench.engine.containers.keys()) if (bench.engine.truth().has(id)) bench.engine.start(id);
        bench.engine.settle();
        bench.list();
        bench.answer(true);
        expect(sorted(bench.shown())).toEqual(sorted(bench.engine.truth()));
      },
    ),
    { numRuns: runs },
  );
});

test("WatchState follows an engine that loses nothing without any further list, and never shows an address twice", () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(fc.record({ step, hear: fc.boolean(), answer: fc.boolean(), list: fc.boolean() }), {
        maxLength: 40,
        size: "max",
      }),
      (dieFirst, steps) => {
        const bench = new Bench(new ModelEngine({ dieFirst }));
        for (const each of steps) {
          act(bench.engine, each.step);
          if (each.hear) bench.hear();
          if (each.answer) bench.answer();
          if (each.list) bench.list(bench.ask());
          const addresses = [...bench.shown().values()].flatMap((text) => text.match(/2001:\S+/g) ?? []);
          expect(new Set(addresses).size).toBe(addresses.length);
        }
        bench.hear();
        bench.engine.settle();
        bench.answer(true);
        expect(sorted(bench.shown())).toEqual(sorted(bench.engine.truth()));
      },
    ),
    { numRuns: runs },
  );
});
