import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder } from "../../src/lab/cache.ts";
import { cgroupOf, removeCgroups } from "../../src/lab/cgroup.ts";
import {
  type Engine,
  engineInRoot,
  findEngine,
  ownEtc,
  type RunningEngine,
  startEngine,
} from "../../src/lab/engine.ts";
import { buildEngineRoot, builtEngineRoot, engineReleases, isEngineRelease } from "../../src/lab/engine-root.ts";
import { buildImage, importImage, labImage } from "../../src/lab/image.ts";
import { type Node, startNode, stopNode } from "../../src/lab/node.ts";
import { ipIn } from "../../src/lab/wiring.ts";
import { runProcess } from "../../src/runtime/process.ts";
import type { Ran } from "../../src/runtime/shell.ts";

/** One host with a Docker engine, and one peer outside that filters nothing and routes the host's block to it. */
export type OneHost = {
  readonly vm: Node;
  readonly outside: Node;
  docker(...args: readonly string[]): Promise<Ran>;
  /** Starts a container that listens on its arguments; gives its addresses and a process in it. */
  container(name: string, options: readonly string[], ports: readonly number[]): Promise<Container>;
  reach(url: string): Promise<Reached>;
  ping(address: string): Promise<"ok" | "no">;
  /** The source address that the peer sees when the container connects to it, `nothing` when it gets no answer. */
  seen(container: Container, url: string): Promise<string>;
  end(): Promise<void>;
};

export type Container = { readonly address: string; readonly address4: string; readonly pid: number };
export type Reached = "OPEN" | "drop" | "refused";

export const block = "2001:db8:1:2:20::/76";
export const vmAddress = "2001:db8:1:2:20::2";
export const outsideAddress = "2001:db8:1:2:20::1";
export const uplink = "eth1";
/** Documentation space (RFC 5737). */
export const vmAddress4 = "192.0.2.2";
export const outsideAddress4 = "192.0.2.1";
const echoPort = 7000;
export const echo6 = `http://[${outsideAddress}]:${echoPort}/`;
export const echo4 = `http://${outsideAddress4}:${echoPort}/`;

const labName = `test-${process.pid}`;
let number = 0;

/** Says who asks: its answer's body is the client's address. */
const echo = `require("node:http").createServer((q, r) => r.end(q.socket.remoteAddress)).listen(${echoPort}, "::")`;

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Why engines can't run here at all, or undefined. */
export function noEngines(): string | undefined {
  return process.getuid?.() === 0 ? undefined : "real engines need root";
}

/**
 * The engines at hand: this machine's (or unpacked packages), roots in the cache, and those of SIXGATE_ENGINES, a
 * comma list of directories and releases (26.1, 28.5), which are built when they are not there.
 */
export async function enginesAtHand(): Promise<ReadonlyMap<string, Engine>> {
  const found = new Map<string, Engine>();
  if (noEngines() !== undefined) return found;
  const put = (engine: Engine): void => void found.set(`${engine.version.major}.${engine.version.minor}`, engine);
  for (const release of engineReleases) {
    const engine = await builtEngineRoot(release, cacheFolder());
    if (engine !== undefined) put(engine);
  }
  for (const asked of (process.env["SIXGATE_ENGINES"] ?? "").split(",").filter((each) => each !== "")) {
    put(isEngineRelease(asked) ? await buildEngineRoot(asked, cacheFolder(), say) : await engineInRoot(asked));
  }
  put(await findEngine(cacheFolder(), say));
  return found;
}

async function wire(vm: Node, outside: Node): Promise<void> {
  const line = `link add name ${uplink} netns ${vm.pid} type veth peer name ${uplink} netns ${outside.pid}`;
  const ran = await runProcess("test", ["ip", "-batch", "-"], { input: `${line}\n` });
  if (ran.code !== 0) throw new Error(ran.stderr);
  const up = `link set dev ${uplink} up`;
  await ipIn(vm, [
    up,
    `addr add ${vmAddress}/80 dev ${uplink} nodad`,
    `addr add ${vmAddress4}/24 dev ${uplink}`,
    `route add default via ${outsideAddress}`,
    `route add default via ${outsideAddress4}`,
  ]);
  await ipIn(outside, [
    up,
    `addr add ${outsideAddress}/80 dev ${uplink} nodad`,
    `addr add ${outsideAddress4}/24 dev ${uplink}`,
    `route add ${block} via ${vmAddress}`,
    // So that a container whose IPv4 leaves without NAT is seen as itself.
    `route add 172.16.0.0/12 via ${vmAddress4}`,
  ]);
  const words = ["sh", "-c", 'setsid "$@" </dev/null >/dev/null 2>&1 &', "sh", process.execPath, "-e", echo];
  await outside.shell.run(words);
}

function hostOf(vm: Node, outside: Node): OneHost {
  const docker = (...args: readonly string[]): Promise<Ran> =>
    vm.shell.run(["/run/sixgate/engine/docker", ...args], { timeout: 60_000 });
  const must = async (...args: readonly string[]): Promise<string> => {
    const ran = await docker(...args);
    if (ran.code !== 0) throw new Error(`docker ${args.join(" ")}: ${ran.stderr}`);
    return ran.stdout.trim();
  };
  return {
    vm,
    outside,
    docker,
    async container(name, options, ports) {
      await must("run", "-d", "--name", name, ...options, labImage, ...ports.map(String));
      const format = "{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}} {{.IPAddress}}{{end}}";
      const [pid, address = "", address4 = ""] = (await must("inspect", "--format", format, name)).split(" ");
      const container = { pid: Number(pid), address, address4 };
      await listening(vm, container.pid, ports);
      return container;
    },
    async reach(url) {
      const ran = await outside.shell.run(["curl", "-s", "-o", "/dev/null", "-m", "1", url]);
      if (ran.code === 0) return "OPEN";
      if (ran.code === 7) return "refused";
      if (ran.code === 28) return "drop";
      throw new Error(`curl ${url} ended with ${ran.code}: ${ran.stderr}`);
    },
    async ping(address) {
      return (await outside.shell.run(["ping", "-c1", "-W1", address])).code === 0 ? "ok" : "no";
    },
    async seen(container, url) {
      const ran = await vm.shell.run([
        "nsenter",
        "-t",
        String(container.pid),
        "-n",
        "--",
        "curl",
        "-s",
        "-m",
        "3",
        url,
      ]);
      if (ran.code !== 0 && ran.code !== 28) throw new Error(`curl ${url} ended with ${ran.code}: ${ran.stderr}`);
      return ran.code === 0 ? ran.stdout.replace("::ffff:", "") : "nothing";
    },
    end: () => endAll([vm, outside]),
  };
}

async function listening(vm: Node, pid: number, ports: readonly number[]): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const ran = await vm.shell.run(["nsenter", "-t", String(pid), "-n", "--", "ss", "-Hltn"]);
    if (ports.every((port) => ran.stdout.includes(`:${port} `))) return;
    await sleep(20);
  }
  throw new Error("The container does not listen");
}

async function endAll(nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) await stopNode(node.pid);
  await removeCgroups(labName);
}

/** `daemon` is what daemon.json says when the engine starts. Nothing stays when this rejects. */
export async function oneHost(
  engine: Engine,
  daemon: Readonly<Record<string, unknown>>,
): Promise<OneHost & { readonly engine: RunningEngine }> {
  number++;
  const nodes: Node[] = [];
  try {
    const [vm, outside] = [await startNode(`vm${number}`), await startNode(`outside${number}`)];
    nodes.push(vm, outside);
    await wire(vm, outside);
    await ownEtc(vm);
    await vm.shell.write("/etc/docker/daemon.json", JSON.stringify(daemon));
    const running = await startEngine(vm, engine, { cgroup: `${cgroupOf(labName)}/${vm.name}` });
    await importImage(vm, await buildImage(cacheFolder(), say));
    return { ...hostOf(vm, outside), engine: running };
  } catch (cause) {
    await endAll(nodes);
    throw cause;
  }
}
