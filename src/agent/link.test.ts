import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { idOf, reportOf, type Trust, trust, until, vm1 } from "../../test/trust.ts";
import { Board } from "./board.ts";
import { type AgentFrame, frameLine, readAgentFrame } from "./frames.ts";
import { readIdentity, writeIdentity } from "./identity.ts";
import { LineSplitter } from "./line-splitter.ts";
import { reportAlways } from "./run.ts";
import { agentProtocol, lineCap } from "./wire.ts";

let endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.reverse()) await end();
  endings = [];
});

/** A controller by hand: it has the right certificate, and says and reads what the test wants. */
class ByHand {
  readonly frames: AgentFrame[] = [];
  readonly log: string[] = [];
  readonly board = new Board();
  bytes = 0;
  sockets: TLSSocket[] = [];
  #fleet: Trust | undefined;

  async start(): Promise<void> {
    const fleet = await trust();
    endings.push(() => fleet.end());
    this.#fleet = fleet;
    const folder = await fleet.enrolled(vm1);
    const own = await fleet.authority.issueForController(["::1"], 3_600_000);
    const pair = { key: own.key, cert: own.certificate, ca: fleet.authority.certificate };
    const server = createServer({ ...pair, requestCert: true, ALPNProtocols: [agentProtocol] }, (socket) =>
      this.#hear(socket),
    );
    await new Promise<void>((resolve) => server.listen(0, "::1", resolve));
    endings.push(async () => {
      for (const socket of this.sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as AddressInfo;
    await writeIdentity(folder, { ...(await readIdentity(folder)), controller: { host: "::1", port } });
    const say = (text: string): void => void this.log.push(text);
    const log = { info: say, warn: say, error: say };
    const stop = new AbortController();
    const running = reportAlways({ folder, board: this.board, version: "test", log, firstWait: 10 }, stop.signal);
    endings.push(async () => {
      stop.abort();
      await running;
    });
  }

  get fleet(): Trust {
    if (this.#fleet === undefined) throw new Error("not started");
    return this.#fleet;
  }

  #hear(socket: TLSSocket): void {
    this.sockets.push(socket);
    socket.on("error", () => undefined);
    const splitter = new LineSplitter(lineCap);
    socket.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      for (const line of splitter.push(chunk)) if (line.kind === "line") this.frames.push(readAgentFrame(line.text));
    });
  }

  welcome(more: { readonly at?: number; readonly beat?: number } = {}): void {
    const at = more.at ?? Date.now();
    const block = "2001:db8:1:2:20::/76" as never;
    this.sockets
      .at(-1)
      ?.write(frameLine({ t: "welcome", host: vm1, block, beat: more.beat ?? 10, ends: at + 86_400_000, at }));
  }
}

test("Link remembers by their ids alone what a controller that doesn't read can't be told yet", async () => {
  const hand = new ByHand();
  await hand.start();
  hand.board.change({ put: [reportOf(1)], gone: [] }, true);
  await until(() => hand.frames.some((frame) => frame.t === "hello"), "the hello");
  hand.welcome();
  await until(() => hand.frames.some((frame) => frame.t === "end"), "the snapshot");
  const [socket] = hand.sockets;
  socket?.pause();
  const rounds = 20_000;
  for (let n = 0; n < rounds; n++)
    hand.board.change({ put: [reportOf(1, { name: `round ${n}`, image: "x".repeat(500) })], gone: [] }, true);
  hand.board.change({ put: [reportOf(2)], gone: [idOf(1)] }, true);
  socket?.resume();
  const state = new Map<string, string>();
  await until(() => {
    state.clear();
    for (const frame of hand.frames) {
      if (frame.t !== "delta") continue;
      for (const id of frame.gone) state.delete(id);
      for (const report of frame.put) state.set(report.id, report.name);
    }
    return state.has(idOf(2));
  }, "the last change");
  expect([...state.keys()]).toEqual([idOf(2)]);
  // All of it would be some 17 MB.
  expect(hand.bytes).toBeLessThan(8_000_000);
  const numbers = hand.frames.flatMap((frame) =>
    "s" in frame && frame.t !== "hello" && frame.t !== "beat" ? [frame.s] : [],
  );
  expect(numbers).toEqual(numbers.map((_, n) => n + 1));
});

test("Link answers whether it is there, and reports all again when it is asked to", async () => {
  const hand = new ByHand();
  await hand.start();
  hand.board.change({ put: [reportOf(1)], gone: [] }, true);
  await until(() => hand.frames.length > 0, "the hello");
  hand.welcome();
  await until(() => hand.frames.some((frame) => frame.t === "end"), "the snapshot");
  hand.sockets[0]?.write(frameLine({ t: "there", n: 7 }) + frameLine({ t: "resync" }));
  await until(() => hand.frames.filter((frame) => frame.t === "end").length === 2, "another snapshot");
  expect(hand.frames).toContainEqual({ t: "here", n: 7 });
});

test("Link comes again, numbers go on, when the controller falls silent", async () => {
  const hand = new ByHand();
  await hand.start();
  hand.board.change({ put: [], gone: [] }, true);
  await until(() => hand.frames.length > 0, "the hello");
  hand.welcome({ beat: 1 });
  await until(() => hand.frames.some((frame) => frame.t === "beat"), "a beat");
  await until(() => hand.frames.filter((frame) => frame.t === "hello").length === 2, "the next connection");
  const [first, second] = hand.frames.filter((frame) => frame.t === "hello");
  expect(second?.epoch).toBe(first?.epoch);
  expect(second?.s).toBe(2);
  expect(hand.log.join()).toContain("The controller fell silent");
});

test("Link says when the clocks differ, and by how much", async () => {
  const hand = new ByHand();
  await hand.start();
  await until(() => hand.frames.length > 0, "the hello");
  hand.welcome({ at: Date.now() + 600_000 });
  await until(
    () => hand.log.some((line) => /clock is (?:59\d|60\d) s behind the controller's/.test(line)),
    "the warning",
  );
});
