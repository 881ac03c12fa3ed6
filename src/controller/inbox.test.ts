import { afterEach, expect, test } from "vitest";
import { idOf, reportOf, type Trust, trust, until, vm1 } from "../../test/trust.ts";
import { Board } from "../agent/board.ts";
import { reportAlways } from "../agent/run.ts";

let all: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of all.reverse()) await end();
  all = [];
});

async function made(options?: Parameters<typeof trust>[0]): Promise<Trust> {
  const trusted = await trust(options);
  all.push(() => trusted.end());
  return trusted;
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

function honest(folder: string, board: Board): void {
  const stop = new AbortController();
  const running = reportAlways({ folder, board, version: "test", log: quiet, firstWait: 10 }, stop.signal);
  all.push(async () => {
    stop.abort();
    await running.catch(() => undefined);
  });
}

test("startInbox hands over what an enrolled agent reports, snapshot first", async () => {
  const { sink, ...fleet } = await made();
  const board = new Board();
  honest(await fleet.enrolled(vm1), board);
  await until(() => sink.said.includes("seen vm1"), "the hello");
  expect(sink.said).toEqual(["seen vm1"]);
  board.know({ engine: "28.5.1", api: "1.51" });
  board.change({ put: [reportOf(1), reportOf(2)], gone: [] }, true);
  await until(() => sink.hosts.get("vm1")?.size === 2, "the snapshot");
  board.change({ put: [reportOf(3)], gone: [idOf(1)], at: 1_700_000_000_123.5 }, true);
  await until(() => sink.deltas === 1, "the delta");
  expect([...(sink.hosts.get("vm1")?.keys() ?? [])]).toEqual([idOf(2), idOf(3)]);
  expect(sink.said).toEqual(["seen vm1", "snapshot vm1 2", "delta vm1 +1 -1 timed"]);
  expect(sink.alarms).toEqual([]);
});
