import fc from "fast-check";
import { expect, test } from "vitest";
import { readEvents, type SentEvent } from "./event-text.ts";

async function read(text: string, cuts: readonly number[] = []): Promise<readonly SentEvent[]> {
  const bytes = Buffer.from(text);
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let i = 1; i < at.length; i++) yield bytes.subarray(at[i - 1], at[i]);
  }
  const events: SentEvent[] = [];
  for await (const event of readEvents(chunks())) events.push(event);
  return events;
}

const stream =
  'retry: 2000\nid: r-1\nevent: ready\ndata: {"a":1}\n\n: alive\n\nid: r-2\nevent: opened\ndata: é\ndata:  two\n\ndata: last';

test("readEvents reads events, keeps the last id, and leaves out comments and what has no end", async () => {
  expect(await read(stream)).toEqual([
    { event: "ready", id: "r-1", data: '{"a":1}' },
    { event: "opened", id: "r-2", data: "é\n two" },
  ]);
});

test("readEvents reads the same wherever the bytes are cut", async () => {
  const whole = await read(stream);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(200)), async (cuts) => {
      expect(await read(stream, cuts)).toEqual(whole);
    }),
  );
});

test("readEvents gives up on a stream that never ends an event", async () => {
  await expect(read(`data: ${"x".repeat(5 * 1024 * 1024)}`)).rejects.toThrow(RangeError);
});
