import { engineFolder } from "../drivers/docker/api.ts";
import { quoteWord } from "../runtime/shell-ssh.ts";

/** Where an engine's programs are. */
export type EngineFiles =
  | { readonly kind: "installed"; readonly dockerd: string }
  | { readonly kind: "unpacked"; readonly folder: string; readonly libraries: readonly string[] }
  | { readonly kind: "root"; readonly folder: string };

/** Everything the engine writes lies here: in the node's own memory, so that it goes with the node. */
export const dataFolder = "/run/sixgate/engine-data";
export const logPath = `${engineFolder}/log`;

/** One cgroup hierarchy of the machine: where it is mounted below /sys/fs/cgroup, and what mounts it again. */
export type CgroupMount = { readonly path: string; readonly type: "cgroup" | "cgroup2"; readonly options: string };

const cgroupBase = "/sys/fs/cgroup";

/** The hierarchies in the text of /proc/self/mountinfo (proc(5)): one at the top with cgroup v2, several with v1. */
export function cgroupMounts(mountinfo: string): readonly CgroupMount[] {
  const found: CgroupMount[] = [];
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    const path = before?.split(" ")[4];
    const [type, , options] = (after ?? "").split(" ");
    if (path === undefined || !(path === cgroupBase || path.startsWith(`${cgroupBase}/`))) continue;
    if (!/^[\w/,=.-]+$/.test(path) || options === undefined) continue;
    if (type === "cgroup2") found.push({ path, type, options: "rw" });
    if (type !== "cgroup") continue;
    const parts = options
      .split(",")
      .filter((part) => /^(name=)?\w+$/.test(part) && !["rw", "ro", "xattr", "clone_children"].includes(part));
    const named = parts.some((part) => part.startsWith("name="));
    found.push({ path, type, options: [...(named ? ["none"] : []), ...parts].join(",") });
  }
  return found;
}

/** sysfs of this network namespace with the machine's cgroups in it: a node's own /sys may be read-only and without. */
function mountSys(root: string, mounts: readonly CgroupMount[]): readonly string[] {
  const top = mounts.some((each) => each.path === cgroupBase);
  return [
    // networkd has mounted this namespace's own already, read-only: mount(8) refuses it twice in one place.
    `mount -t sysfs sysfs ${root}/sys 2>/dev/null || mount -o remount,bind,rw ${root}/sys`,
    ...(top ? [] : [`mount -t tmpfs -o mode=755 tmpfs ${root}${cgroupBase}`]),
    ...mounts.flatMap(({ path, type, options }) => [
      ...(path === cgroupBase ? [] : [`mkdir -p ${root}${path}`]),
      `mount -t ${type} -o ${options} ${type} ${root}${path}`,
    ]),
  ];
}

/** A chroot over an engine directory that is never written to: an overlay whose upper half is in the node's memory. */
function mountRoot(folder: string): readonly string[] {
  const root = `${engineFolder}/root`;
  return [
    `mkdir -p ${root} ${engineFolder}/upper ${engineFolder}/work`,
    `mount -t overlay overlay -o lowerdir=${quoteWord(folder)},upperdir=${engineFolder}/upper,workdir=${engineFolder}/work ${root}`,
    `mount -t proc proc ${root}/proc`,
    `mount --rbind /dev ${root}/dev`,
    `mount --bind /run ${root}/run`,
    `mount -t tmpfs tmpfs ${root}/tmp`,
    `mkdir -p ${root}/etc/docker`,
    `mount --bind /etc/docker ${root}/etc/docker`,
  ];
}

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function environmentOf(engine: EngineFiles): readonly string[] {
  if (engine.kind !== "unpacked") return [`export PATH=${systemPath}`];
  const own = ["usr/sbin", "usr/bin", "usr/libexec/docker"].map((each) => `${engine.folder}/${each}`);
  return [
    `export PATH=${quoteWord(`${own.join(":")}:${systemPath}`)}`,
    `export LD_LIBRARY_PATH=${quoteWord(engine.libraries.map((each) => `${engine.folder}/${each}`).join(":"))}`,
  ];
}

function inRoot(engine: EngineFiles): string {
  return engine.kind === "root" ? `chroot ${engineFolder}/root ` : "";
}

/** Runs one of the engine's programs from anywhere in the node; dockerd's mounts are its own, so a chroot is made anew. */
function wrapper(engine: EngineFiles, program: string): string {
  const head = ["#!/bin/sh", ...environmentOf(engine)];
  if (engine.kind !== "root") return [...head, `exec ${program} "$@"`, ""].join("\n");
  // Through the running engine's mount namespace where there is one; else (no engine yet) the directory itself, with /run.
  const fresh = `exec unshare --mount --propagation private -- sh -c 'mount --bind /run "$0/run" && exec chroot "$0" ${program} "$@"' ${quoteWord(engine.folder)} "$@"`;
  return [
    ...head,
    "pid=$(cat /run/docker.pid 2>/dev/null)",
    `if [ -n "$pid" ] && [ -d "/proc/$pid" ]; then exec nsenter -t "$pid" -m --wd=/ -- chroot ${engineFolder}/root ${program} "$@"; fi`,
    fresh,
    "",
  ].join("\n");
}

function run(engine: EngineFiles, cgroup: string, mounts: readonly CgroupMount[]): string {
  const flags = [
    `--data-root ${dataFolder}`,
    "--exec-root /run/docker",
    "--pidfile /run/docker.pid",
    "--host unix:///run/docker.sock",
    `--cgroup-parent /${cgroup}`,
    // No systemd in a node.
    "--exec-opt native.cgroupdriver=cgroupfs",
  ];
  const root = engine.kind === "root" ? `${engineFolder}/root` : "";
  return [
    "#!/bin/sh",
    "set -e",
    ...environmentOf(engine),
    ...(engine.kind === "root" ? mountRoot(engine.folder) : []),
    ...mountSys(root, mounts),
    `exec ${inRoot(engine)}dockerd ${flags.join(" ")}`,
    "",
  ].join("\n");
}

const isUp = '[ -d "/proc/$pid" ] && ! grep -q "^State:.Z" "/proc/$pid/status" 2>/dev/null';

const stop = `#!/bin/sh
# Ends the engine of this node and its containers, the hard way after 10 s.
pid=$(cat /run/docker.pid 2>/dev/null) || exit 0
kill -TERM "$pid" 2>/dev/null
i=0
while ${isUp}; do
  i=$((i + 1))
  if [ $i -eq 500 ]; then kill -KILL "$pid" 2>/dev/null; fi
  if [ $i -ge 600 ]; then echo "dockerd $pid does not end" >&2; exit 1; fi
  sleep 0.02
done
rm -f /run/docker.pid /run/docker.sock
exit 0
`;

const restart = `#!/bin/sh
# Ends the engine of this node if one runs, starts it, and returns when it answers.
cd ${engineFolder} || exit 1
./stop || exit 1
: >log
setsid unshare --mount --propagation private -- ./run </dev/null >>log 2>&1 &
pid=$!
i=0
while [ ! -S /run/docker.sock ]; do
  i=$((i + 1))
  if ! { ${isUp}; } || [ $i -ge 3000 ]; then tail -n 5 log >&2; exit 1; fi
  sleep 0.02
done
if ! ./docker -H unix:///run/docker.sock version >/dev/null 2>>log; then tail -n 5 log >&2; exit 1; fi
exit 0
`;

/** The programs of a node's engine, by name in {@link engineFolder}. `cgroup` is a path below each hierarchy. */
export function engineScripts(
  engine: EngineFiles,
  cgroup: string,
  mounts: readonly CgroupMount[],
): ReadonlyMap<string, string> {
  return new Map([
    ["docker", wrapper(engine, "docker")],
    ["dockerd", wrapper(engine, "dockerd")],
    ["run", run(engine, cgroup, mounts)],
    ["stop", stop],
    ["restart", restart],
  ]);
}
