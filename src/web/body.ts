import { turned } from "./answer.ts";

/** Bytes of a body. The longest request there is has some thousand. */
const most = 64 * 1024;

/** The JSON of a request. Reads no more than it takes, whatever the request says of its length; 413 beyond it. */
export async function readBody(request: Request): Promise<unknown> {
  const told = Number(request.headers.get("content-length") ?? 0);
  if (told > most) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | null = request.body;
  if (body !== null) {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > most) throw tooLarge();
      chunks.push(chunk);
    }
  }
  const text = new TextDecoder("utf-8", { fatal: true });
  try {
    return JSON.parse(text.decode(Buffer.concat(chunks)));
  } catch {
    throw turned(400, "E955", "body", "Not JSON", "send one JSON object; {} where nothing is to be said");
  }
}

function tooLarge(): Error {
  return turned(413, "E961", "body", `More than ${most / 1024} KiB`, "ask for less at once");
}
