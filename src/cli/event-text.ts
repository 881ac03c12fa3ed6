/** One server-sent event. `data` is the joined lines of it. */
export type SentEvent = { readonly event: string; readonly id: string; readonly data: string };

/** A stream that says more than this without an end of an event is none of ours. */
const longest = 4 * 1024 * 1024;

/**
 * Reads server-sent events (HTML living standard §9.2.6) from pieces of bytes, cut anywhere. Comments and `retry` are
 * passed over; an event that has no end yet when the stream ends is none. Throws a RangeError at 4 MiB without an end.
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SentEvent> {
  const decoder = new TextDecoder();
  let text = "";
  let id = "";
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > longest) throw new RangeError("An event without an end");
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const read = readBlock(block);
      id = read.id ?? id;
      if (read.data !== undefined) yield { event: read.event, id, data: read.data };
    }
  }
}

function readBlock(block: string): { readonly event: string; readonly id?: string; readonly data?: string } {
  const data: string[] = [];
  let event = "message";
  let id: string | undefined;
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    if (field === "event") event = value;
    if (field === "id" && !value.includes("\0")) id = value;
  }
  return { event, ...(id === undefined ? {} : { id }), ...(data.length === 0 ? {} : { data: data.join("\n") }) };
}
