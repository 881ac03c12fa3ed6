// Runs with a node's files and processes, but in the network of whoever brought the lab up: hands what connects to that
// machine's loopback to a unix socket in the node, byte for byte. Arguments: the socket, and a file to write the port
// into once it listens. The node ends it.
import { renameSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";

const [inside = "", portFile = ""] = process.argv.slice(2);
/** Pages and watchers of one person on one machine. */
const mostConnections = 256;
const tries = 20;

function hand(outer: Socket): void {
  const inner = connect(inside);
  const end = (): void => {
    outer.destroy();
    inner.destroy();
  };
  // Also where no controller listens just now: the browser sees a connection that was closed, and tries again.
  for (const socket of [outer, inner]) {
    socket.on("error", end);
    socket.on("close", end);
  }
  outer.pipe(inner).pipe(outer);
}

/** The port; undefined where that address is none of this machine's. Rejects where another has the port. */
async function listen(server: Server, host: string, port: number): Promise<number | undefined> {
  server.maxConnections = mostConnections;
  return await new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      /^(?:EADDRNOTAVAIL|EAFNOSUPPORT)$/.test(cause.code ?? "") ? resolve(undefined) : reject(cause),
    );
    server.listen({ host, port, ipv6Only: true }, () => {
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : undefined);
    });
  });
}

/** One port on both loopback addresses: `localhost` may mean either. */
async function listenOnLoopback(): Promise<number> {
  for (let left = tries; ; left--) {
    const [four, six] = [createServer({ allowHalfOpen: true }, hand), createServer({ allowHalfOpen: true }, hand)];
    const port = await listen(four, "127.0.0.1", 0);
    if (port === undefined) throw new Error("127.0.0.1 is no address of this machine");
    try {
      await listen(six, "::1", port);
      return port;
    } catch (cause) {
      four.close();
      if (left === 0) throw cause;
    }
  }
}

const port = await listenOnLoopback();
writeFileSync(`${portFile}.new`, `${port}\n`);
renameSync(`${portFile}.new`, portFile);
