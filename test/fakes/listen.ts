import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Certified } from "./certificate.ts";

/** A server on loopback, over TLS with a certificate. `stop` ends kept connections too. */
export type Listening = { readonly url: string; readonly server: Server; readonly stop: () => Promise<void> };

export async function listen(answer: RequestListener, certified?: Certified): Promise<Listening> {
  const server: Server = certified === undefined ? createServer(answer) : createTlsServer(certified, answer);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certified === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    server,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers each request when all of its body is there. */
export function withBody(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => Promise<void>,
): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void answer(request, response, Buffer.concat(chunks).toString()));
  };
}
