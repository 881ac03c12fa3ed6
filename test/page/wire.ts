import { once } from "node:events";
import { createServer, connect as dial, type Server, type Socket } from "node:net";

/** A line between a browser and a controller, which can be cut and mended. */
export type Wire = {
  readonly url: string;
  cut(): Promise<void>;
  mend(): Promise<void>;
};

/** Stands before the API at that address while the work goes on. */
export async function withWire(to: string, work: (wire: Wire) => Promise<void>): Promise<void> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  const hold = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  };
  let server: Server | undefined;
  const listen = async (port: number): Promise<number> => {
    server = createServer((near) => {
      const far = dial(Number(target.port), target.hostname);
      hold(near);
      hold(far);
      near.pipe(far).pipe(near);
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const at = server.address();
    if (at === null || typeof at === "string") throw new Error("No port");
    return at.port;
  };
  const cut = async (): Promise<void> => {
    const ended = server;
    server = undefined;
    for (const socket of sockets) socket.destroy();
    if (ended === undefined) return;
    ended.close();
    await once(ended, "close");
  };
  const port = await listen(0);
  try {
    await work({ url: `http://127.0.0.1:${port}`, cut, mend: async () => void (await listen(port)) });
  } finally {
    await cut();
  }
}
