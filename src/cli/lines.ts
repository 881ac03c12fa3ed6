/** Lines of a text that comes in pieces, cut anywhere. Throws when the pieces end in the middle of a line, or reject. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunks) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
  if (text !== "") throw new RangeError("Ends in the middle of a line");
}
