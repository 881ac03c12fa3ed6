import { chmod, copyFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import { engineFolder } from "../drivers/docker/api.ts";
import { runProcess } from "../runtime/process.ts";
import { unpackPackages } from "../runtime/unpack.ts";
import type { Node } from "./node.ts";
import { findProgram } from "./programs.ts";

/** The image's name in every engine of the lab. It comes from no registry and goes to none. */
export const labImage = "sixgate/lab:1";

/** Where the tar lies in a node while it is imported. */
const nodeTar = "/run/sixgate/image.tar";

const applets: readonly string[] = [
  "cat",
  "echo",
  "hostname",
  "httpd",
  "ifconfig",
  "ip",
  "kill",
  "ls",
  "nc",
  "netstat",
  "ping",
  "sh",
  "sleep",
];

/**
 * What a container does: a web server on each port of its arguments, over IPv6 and IPv4, whose page says who answers.
 * It ends at once on SIGTERM, which a bare httpd as PID 1 would not.
 */
const serve = `#!/bin/sh
trap 'exit 0' TERM INT
mkdir -p /www
echo "sixgate lab container $(hostname)" >/www/index.html
for port in "$@"; do httpd -f -h /www -p "[::]:$port" & done
while :; do sleep 3600 & wait $!; done
`;

async function isStatic(path: string): Promise<boolean> {
  const ran = await runProcess("lab", ["ldd", path]);
  return `${ran.stdout}${ran.stderr}`.includes("not a dynamic executable");
}

/** A busybox that needs no libraries: the machine's own, or Debian's busybox-static unpacked into the cache. */
async function findBusybox(cache: string, say: (line: string) => void): Promise<string> {
  const own = await findProgram("busybox");
  if (own !== undefined && (await isStatic(own))) return own;
  const folder = await unpackPackages(["busybox-static"], join(cache, "image-packages"), say);
  const unpacked = join(folder, "usr/bin/busybox");
  if (await isStatic(unpacked)) return unpacked;
  throw new Failure(
    "E733",
    folder,
    "busybox-static has no busybox that runs without libraries",
    "apt-get install busybox-static, then try again",
  );
}

/** Makes the image's tar at `cache`/lab-image.tar unless it is there, and gives its path. */
export async function buildImage(cache: string, say: (line: string) => void): Promise<string> {
  const busybox = await findBusybox(cache, say);
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(tmpdir(), "sixgate-image-"));
  try {
    for (const folder of ["bin", "tmp", "www", "proc", "sys", "dev", "etc"]) await mkdir(join(work, folder));
    await copyFile(busybox, join(work, "bin/busybox"));
    await chmod(join(work, "bin/busybox"), 0o755);
    for (const applet of [...applets, "mkdir"]) await symlink("busybox", join(work, "bin", applet));
    await writeFile(join(work, "bin/serve"), serve, { mode: 0o755 });
    const path = join(cache, "lab-image.tar");
    const beside = `${path}.${process.pid}`;
    const ran = await runProcess("lab", [
      "tar",
      "--sort=name",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      "-C",
      work,
      "-cf",
      beside,
      ".",
    ]);
    if (ran.code !== 0)
      throw new Failure("E733", path, `tar: ${ran.stderr.trim()}`, "is there room in the cache folder?");
    await rename(beside, path);
    return path;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Puts the image into a node's engine. `docker run sixgate/lab:1 80 9090` then listens on both ports. */
export async function importImage(node: Node, tar: string): Promise<void> {
  await copyFile(tar, `/proc/${node.pid}/root${nodeTar}`);
  const ran = await node.shell.run(
    [`${engineFolder}/docker`, "import", "--change", 'ENTRYPOINT ["/bin/serve"]', nodeTar, labImage],
    { timeout: 60_000 },
  );
  await node.shell.remove(nodeTar);
  if (ran.code === 0) return;
  throw new Failure(
    "E733",
    node.shell.name,
    `docker import: ${ran.stderr.trim().slice(0, 300)}`,
    "look at the engine's log in the node",
  );
}
