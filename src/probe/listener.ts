// Runs in a container's network: answers with the address it was reached from.
// Arguments: a name, then what to listen on: tcp/80, udp/443. Says "ready" when all of it is bound.
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const [name = "", ...places] = process.argv.slice(2);

function listenTcp(port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(`${name} saw ${socket.remoteAddress ?? "nobody"}\n`);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.on("error", reject);
  server.listen(port, "::", resolve);
  return promise;
}

function listenUdp(port: number): Promise<void> {
  const socket = createSocket("udp6");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on("error", reject);
  socket.on("message", (_, from) => socket.send(`${name} saw ${from.address}\n`, from.port, from.address));
  socket.bind(port, "::", resolve);
  return promise;
}

await Promise.all(
  places.map((place) => {
    const [transport, port] = place.split("/");
    return transport === "udp" ? listenUdp(Number(port)) : listenTcp(Number(port));
  }),
);
process.stdout.write("ready\n");
