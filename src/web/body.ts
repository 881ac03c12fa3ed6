import { turned } from "./answer.ts";

/** Bytes of a body. The longest request there is has some thousand. */
const most = 64 * 1024;
/** So much more is read and thrown away, so that whoever sends it gets to read why it is refused. */
const tolerated = 1024 * 1024;

/** The JSON of a request. Holds no more than it takes, whatever the request says of its length; 413 beyond it. */
export async function readBody(request: Request): Promise<unknown> {
  if (Number(request.headers.get("content-length") ?? 0) > tolerated) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | null = request.body;
  if (body !== null) {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > tolerated) throw tooLarge();
      if (length <= most) chunks.push(chunk);
    }
  }
  if (length > most) throw tooLarge();
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
