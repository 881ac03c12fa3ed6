import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Board, type BoardChange } from "../../src/agent/board.ts";
import { engineClient } from "../../src/agent/engine-client.ts";
import { watchEngine } from "../../src/agent/watch.ts";
import type { ContainerReport } from "../../src/openings/container-report.ts";
import { until } from "../trust.ts";
import { enginesAtHand, noEngines, type OneHost, oneHost } from "./one-host.ts";

const engines = await enginesAtHand();
const versions = ["20.10", "26.1", "28.5"] as const;

/** An agent's watch on the engine of a host. */
class Watching {
  readonly board = new Board();
  readonly changes: BoardChange[] = [];
  readonly #stop = new AbortController();
  readonly #client: ReturnType<typeof engineClient>;
  readonly #running: Promise<void>;

  constructor(host: OneHost) {
    this.#client = engineClient(`/proc/${host.vm.pid}/root/run/docker.sock`);
    this.board.watch((change) => void this.changes.push(change));
    const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
    this.#running = watchEngine({ client: this.#client, board: this.board, log: quiet }, this.#stop.signal);
  }

  named(name: string): ContainerReport | undefined {
    return [...this.board.reports.values()].find((report) => report.name === name);
  }

  /** The states that a container was reported in since then. */
  states(id: string, since = 0): readonly string[] {
    return this.changes.slice(since).flatMap((change) => {
      if (change.gone.includes(id)) return ["gone"];
      return change.put.filter((report) => report.id === id).map((report) => report.state);
    });
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#client.end();
  }
}

function networksOf(report: ContainerReport | undefined): readonly string[] {
  return (report?.endpoints ?? []).map((endpoint) => endpoint.network);
}

describe.each(versions)("watchEngine, a real engine %s", (version) => {
  const engine = engines.get(version);
  const why = noEngines() ?? (engine === undefined ? `no engine ${version} here` : undefined);
  let host: OneHost;
  let watching: Watching;

  beforeAll(async () => {
    if (engine === undefined || why !== undefined) return;
    host = await oneHost(engine, {
      ipv6: true,
      "fixed-cidr-v6": "2001:db8:1:2:21::/80",
      ...(version === "28.5" ? { "live-restore": true } : {}),
    });
    watching = new Watching(host);
    await until(() => watching.board.complete, "the first listing");
    await host.docker("network", "create", "--ipv6", "--subnet", "2001:db8:1:2:22::/80", "web");
  });
  afterAll(async () => {
    await watching?.end();
    await host?.end();
  });

  test("a start is reported before the process runs, an end with its first event, and an address is not handed on", async ({
    skip,
  }) => {
    if (why !== undefined) return skip(why);
    const one = await host.container("one", ["-l", "sixgate.open=80", "-p", "8080:80", "--expose", "90"], [80]);
    const report = await until(() => {
      const found = watching.named("one");
      return found?.state === "running" && found.published.length > 0 ? found : undefined;
    }, "the report");
    expect(report).toMatchObject({
      mode: "bridge",
      labels: { "sixgate.open": "80" },
      imageLabels: {},
      published: [{ transport: "tcp", ports: { first: 80, last: 80 } }],
      exposed: [{ transport: "tcp", ports: { first: 90, last: 90 } }],
      endpoints: [{ network: "bridge", address: one.address }],
    });
    expect(watching.states(report.id)[0]).toBe("starting");
    const before = watching.changes.length;
    await host.docker("kill", "one");
    await until(() => watching.named("one") === undefined, "the end");
    await host.container("two", ["-l", "sixgate.open=80"], [80]);
    await until(() => watching.named("two")?.state === "running", "the second");
    expect(watching.named("two")?.endpoints[0]?.address).toBe(one.address);
    // Without its endpoint or gone, and never back.
    expect(watching.states(report.id, before).at(-1)).toBe("gone");
    expect(watching.states(report.id, before).length).toBeLessThanOrEqual(2);
    await host.docker("rm", "-f", "one", "two");
    await until(() => watching.board.reports.size === 0, "an empty board");
  });

  test("networks come and go, pause, rename, a signal that ends nothing, restart, a shared network", async ({
    skip,
  }) => {
    if (why !== undefined) return skip(why);
    await host.container("one", ["-l", "sixgate.open=80"], [80]);
    await until(() => watching.named("one")?.state === "running", "the start");
    const id = watching.named("one")?.id ?? "";
    await host.docker("network", "connect", "web", "one");
    await until(() => networksOf(watching.named("one")).join() === "bridge,web", "both networks");
    await host.docker("pause", "one");
    await until(() => watching.named("one")?.state === "paused", "the pause");
    expect(networksOf(watching.named("one"))).toEqual(["bridge", "web"]);
    await host.docker("unpause", "one");
    await host.docker("rename", "one", "uno");
    await until(() => watching.named("uno")?.state === "running", "the new name");
    await host.docker("network", "disconnect", "web", "uno");
    await until(() => networksOf(watching.named("uno")).join() === "bridge", "one network");
    const before = watching.changes.length;
    await host.docker("kill", "-s", "WINCH", "uno");
    await host.docker("run", "-d", "--name", "shared", "--network", "container:uno", "sixgate/lab:1", "81");
    const shared = await until(() => watching.named("shared"), "the one that shares");
    expect(shared).toMatchObject({ mode: "container", sharesWith: id, endpoints: [] });
    expect(watching.states(id, before)).toEqual([]);
    await host.docker("restart", "-t", "0", "uno");
    await until(() => watching.states(id, before).at(-1) === "running", "the restart");
    expect(watching.states(id, before)).toContain("gone");
    await host.docker("run", "-d", "--name", "onhost", "--network", "host", "sixgate/lab:1", "7085");
    expect((await until(() => watching.named("onhost"), "host mode")).mode).toBe("host");
    await host.docker("rm", "-f", "uno", "shared", "onhost");
    await until(() => watching.board.reports.size === 0, "an empty board");
  });

  test("a restart of the engine", async ({ skip }) => {
    if (why !== undefined) return skip(why);
    await host.container("stays", ["--restart", "always"], [80]);
    await host.container("ends", [], [80]);
    await until(() => watching.named("stays") !== undefined && watching.named("ends") !== undefined, "both");
    const ran = await host.vm.shell.run(["/run/sixgate/engine/restart"], { timeout: 90_000 });
    expect(ran.code).toBe(0);
    // With live-restore both go on; without, one is started again and the other is not.
    if (version === "28.5") {
      await host.docker("run", "-d", "--name", "after", "sixgate/lab:1", "80");
      await until(() => watching.named("after")?.state === "running", "the first start after it");
      expect(watching.named("ends")?.state).toBe("running");
    } else {
      await until(() => watching.named("ends") === undefined, "the end of one");
    }
    await until(() => watching.named("stays")?.state === "running", "the other");
    await host.docker("rm", "-f", "stays", "ends", "after");
    await until(() => watching.board.reports.size === 0, "an empty board");
  });
});
