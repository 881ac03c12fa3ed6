import { z } from "zod";
import { Failure } from "../../base/failure.ts";
import type { Ran, Shell } from "../../runtime/shell.ts";

/** A Docker network as `docker network inspect` shows it, less what nobody here asks for. */
export type EngineNetworkSeen = {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly ipv6: boolean;
  readonly subnets: readonly { readonly subnet: string; readonly gateway: string | undefined }[];
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
};

/**
 * The Docker engine of a machine, through its own `docker` program on the local socket: it is on every Docker host,
 * speaks every engine from 20.10 to 29, and needs nothing but a Shell. Every call rejects unless it was answered in full.
 */
export type EngineApi = {
  /** The engine's version, for example `20.10.24+dfsg1`. */
  version(signal?: AbortSignal): Promise<string>;
  networks(signal?: AbortSignal): Promise<readonly EngineNetworkSeen[]>;
  /** Names of containers on a network, those that do not run too. */
  containersOn(network: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** Ids of the containers that run. */
  running(signal?: AbortSignal): Promise<readonly string[]>;
  start(container: string, signal?: AbortSignal): Promise<Ran>;
  createNetwork(args: readonly string[], signal?: AbortSignal): Promise<void>;
  removeNetwork(id: string, signal?: AbortSignal): Promise<void>;
  /** Rejects with E544 and dockerd's own words when it would not start with this file. */
  validate(path: string, signal?: AbortSignal): Promise<void>;
  /** Resolves when the engine answers again; rejects with E547. */
  restart(signal?: AbortSignal): Promise<void>;
};

/**
 * A machine whose engine is not a systemd service puts programs here: `restart` ends and starts the engine and returns
 * when it answers; `docker` and `dockerd` are used instead of those on PATH. Each is optional; only root can write here.
 */
export const engineFolder = "/run/sixgate/engine";

const socket = "unix:///var/run/docker.sock";
const restartTimeout = 120_000;

const strings = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
const versionAnswer = z.object({ Version: z.string().min(1) });
const networkAnswer = z.array(
  z.object({
    Id: z.string().min(1),
    Name: z.string().min(1),
    Driver: z.string(),
    Internal: z.boolean(),
    EnableIPv6: z.boolean(),
    IPAM: z.object({ Config: z.array(z.object({ Subnet: z.string(), Gateway: z.string().optional() })).nullish() }),
    Options: strings,
    Labels: strings,
  }),
);

export function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** True when a program could not be found: the shell's own failure, or what nsenter (127) and ssh (127) say. */
export async function runIfThere(
  shell: Shell,
  argv: readonly string[],
  signal?: AbortSignal,
): Promise<Ran | undefined> {
  try {
    const ran = await shell.run(argv, signal === undefined ? {} : { signal });
    return ran.code === 127 ? undefined : ran;
  } catch (error) {
    if (error instanceof Failure && error.diagnostic.code === "E502") return undefined;
    throw error;
  }
}

function parseAnswer<T>(at: string, what: string, schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Failure("E543", at, `${what} is not JSON`, "try the same `docker` command by hand", { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Failure(
    "E543",
    at,
    `${what}: ${z.prettifyError(parsed.error)}`,
    "is this a Docker engine between 20.10 and 29?",
  );
}

/** How a shell's `docker` and its siblings are run. */
type Client = {
  readonly at: string;
  readonly program: (name: string) => Promise<string>;
  readonly docker: (args: readonly string[], signal?: AbortSignal) => Promise<Ran>;
  /** Standard output of a question; rejects with E503. */
  readonly ask: (args: readonly string[], signal?: AbortSignal) => Promise<string>;
  /** Rejects with E511. */
  readonly change: (args: readonly string[], signal?: AbortSignal) => Promise<void>;
};

export function clientOf(shell: Shell): Client {
  const at = `${shell.name} docker`;
  let own: Promise<readonly string[]> | undefined;

  async function program(name: string): Promise<string> {
    own ??= shell.list(engineFolder);
    return (await own).includes(name) ? `${engineFolder}/${name}` : name;
  }
  async function docker(args: readonly string[], signal?: AbortSignal): Promise<Ran> {
    const ran = await runIfThere(shell, [await program("docker"), "-H", socket, ...args], signal);
    if (ran !== undefined) return ran;
    throw new Failure(
      "E502",
      at,
      "The docker program is missing",
      "install the Docker engine with its command line (Debian: docker.io)",
    );
  }
  async function ask(args: readonly string[], signal?: AbortSignal): Promise<string> {
    const ran = await docker(args, signal);
    if (ran.code === 0) return ran.stdout;
    const text = ran.stderr.trim().slice(0, 500);
    throw new Failure(
      "E503",
      at,
      `"docker ${args.slice(0, 3).join(" ")}": ${text}`,
      "does the engine run? systemctl status docker",
    );
  }
  async function change(args: readonly string[], signal?: AbortSignal): Promise<void> {
    const ran = await docker(args, signal);
    if (ran.code === 0) return;
    const text = ran.stderr.trim().slice(0, 500);
    throw new Failure(
      "E511",
      at,
      `"docker ${args.join(" ")}": ${text}`,
      "nothing of this change stays; look at the engine's log",
    );
  }
  return { at, program, docker, ask, change };
}

export function engineApi(shell: Shell): EngineApi {
  const { at, program, docker, ask, change } = clientOf(shell);

  async function version(signal?: AbortSignal): Promise<string> {
    const text = await ask(["version", "--format", "{{json .Server}}"], signal);
    return parseAnswer(at, "docker version", versionAnswer, text).Version;
  }
  return {
    version,
    networks: (signal) => readNetworks(at, ask, signal),
    containersOn: async (network, signal) =>
      lines(await ask(["ps", "--all", "--filter", `network=${network}`, "--format", "{{.Names}}"], signal)),
    running: async (signal) => lines(await ask(["ps", "--quiet", "--no-trunc"], signal)),
    start: (container, signal) => docker(["start", container], signal),
    createNetwork: (args, signal) => change(args, signal),
    removeNetwork: (id, signal) => change(["network", "rm", id], signal),
    validate: async (path, signal) => validate(shell, await program("dockerd"), path, signal),
    async restart(signal) {
      await restart(shell, await program("restart"), signal);
      await version(signal);
    },
  };
}

async function readNetworks(
  at: string,
  ask: Client["ask"],
  signal?: AbortSignal,
): Promise<readonly EngineNetworkSeen[]> {
  const ids = lines(await ask(["network", "ls", "--quiet", "--no-trunc"], signal));
  // Docker always has its own three: none at all is no answer.
  if (ids.length === 0) throw new Failure("E543", at, "The engine names no network", "look at the engine's log");
  const text = await ask(["network", "inspect", ...ids], signal);
  return parseAnswer(at, "docker network inspect", networkAnswer, text).map((each) => ({
    id: each.Id,
    name: each.Name,
    driver: each.Driver,
    internal: each.Internal,
    ipv6: each.EnableIPv6,
    subnets: (each.IPAM.Config ?? []).map((config) => ({ subnet: config.Subnet, gateway: config.Gateway })),
    options: each.Options,
    labels: each.Labels,
  }));
}

async function restart(shell: Shell, hook: string, signal?: AbortSignal): Promise<void> {
  // `systemctl restart` returns when dockerd has said that it is ready (Type=notify).
  const argv = hook === "restart" ? ["systemctl", "restart", "docker.service"] : [hook];
  const ran = await shell.run(argv, { timeout: restartTimeout, ...(signal === undefined ? {} : { signal }) });
  if (ran.code === 0) return;
  const text = ran.stderr.trim().slice(0, 800);
  throw new Failure(
    "E547",
    `${shell.name} docker`,
    `The engine does not start: ${text}`,
    "journalctl -u docker.service says why",
  );
}

/**
 * Has dockerd read a configuration without starting. `--validate` came with 23; 20.10 reads its file before it looks
 * for root, so that it is run as nobody there: it names unknown keys, or complains about the missing root.
 */
async function validate(shell: Shell, dockerd: string, path: string, signal?: AbortSignal): Promise<void> {
  const help = await runIfThere(shell, [dockerd, "--help"], signal);
  // Nothing to ask: the engine runs in another place than its program, and the restart will tell.
  if (help === undefined) return;
  const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", dockerd, "--config-file", path];
  const ran = await runIfThere(
    shell,
    help.stdout.includes("--validate") ? [dockerd, "--validate", "--config-file", path] : asNobody,
    signal,
  );
  if (ran === undefined || ran.code === 0) return;
  const refusal = /unable to configure the Docker daemon.*/s.exec(ran.stderr)?.[0];
  if (refusal === undefined && ran.stderr.includes("root privileges")) return;
  throw new Failure(
    "E544",
    `${shell.name} docker`,
    (refusal ?? ran.stderr).trim().slice(0, 500),
    "nothing was changed; look at daemon.json's other keys",
  );
}
