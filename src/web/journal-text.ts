import type { Controller } from "../controller/controller.ts";

const encoder = new TextEncoder();
/** Entries that are read and sent at once: what an export holds in memory, however long the journal is. */
const chunk = 500;

/** Entries behind `after` as newline-delimited JSON, up to what is there when it is read. Read as fast as the reader takes it. */
export function journalText(controller: Controller, after: number): ReadableStream<Uint8Array> {
  const end = controller.status().journal.entries;
  let at = after;
  return new ReadableStream<Uint8Array>({
    async pull(stream) {
      const entries = at >= end ? [] : await controller.journal(at, Math.min(chunk, end - at));
      const last = entries.at(-1);
      if (last === undefined) {
        stream.close();
        return;
      }
      at = last.sequence;
      stream.enqueue(encoder.encode(entries.map((entry) => `${JSON.stringify(entry)}\n`).join("")));
    },
  });
}
