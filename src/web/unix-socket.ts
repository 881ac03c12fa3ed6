import { chmod, lstat, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { Failure } from "../base/failure.ts";

/** Bytes that the kernel takes for a socket's path, less the end of it (unix(7)). */
const longestPath = 107;

/**
 * Listens on a socket that only its owner can open (0600). It is born in a folder nobody else can enter and moved when
 * it has its mode, so there is no moment at which others could connect. Takes the place of a socket that nobody
 * listens on any more. Gives what removes it again; that leaves alone what another process has put there since.
 */
export async function listenOnPath(server: Server, path: string): Promise<() => Promise<void>> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  if (Buffer.byteLength(path) > longestPath)
    throw new Failure("E963", path, "The path is too long for a socket", `name one of ${longestPath} bytes at most`);
  await refuseTaken(path);
  const folder = await mkdtemp(join(dirname(path), ".sixgate-"));
  const born = join(folder, "s");
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(born, resolve);
    });
    await chmod(born, 0o600);
    await rename(born, path);
  } catch (cause) {
    server.close();
    throw new Failure(
      "E963",
      path,
      `Can't listen: ${cause instanceof Error ? cause.message : String(cause)}`,
      "see that the folder can be written to, and that its path is short",
      { cause },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { ino } = await lstat(path);
  return async () => {
    const there = await lstat(path).catch(() => undefined);
    if (there?.ino === ino) await rm(path, { force: true });
  };
}

async function refuseTaken(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isSocket())
    throw new Failure("E963", path, "Something that is no socket has this name", "move it away, or name another path");
  if (await answers(path))
    throw new Failure(
      "E963",
      path,
      "Another controller listens there",
      "there is one controller for a gateway: end the other first",
    );
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
