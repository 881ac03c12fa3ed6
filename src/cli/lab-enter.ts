import { spawn } from "node:child_process";
import { Failure } from "../base/failure.ts";
import { dockerClient } from "../lab/engines.ts";
import { openLab } from "../lab/open.ts";
import { enterRootless, hasRootless } from "../lab/rootless.ts";
import { nodeOf } from "../lab/wiring.ts";
import type { Exit } from "./exit.ts";

/** Hands the terminal to a program and gives its exit code as it is. */
async function handOver(argv: readonly string[]): Promise<Exit> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { stdio: "inherit" });
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (ended) => resolve(ended ?? 1));
  });
  return code as Exit;
}

function enter(pid: number): readonly string[] {
  return ["nsenter", "-t", String(pid), "-m", "-n", "-u", "-p", "-r", "-w", "--"];
}

/** `sixgate lab sh NODE [COMMAND …]`: in a node, or in a container's network (`vm1/web`). */
export async function sh(name: string, where: string, command: readonly string[]): Promise<Exit> {
  if (await hasRootless(name)) return enterRootless(name, true);
  const lab = await openLab(name);
  const words = command.length > 0 ? command : [process.env["SHELL"] ?? "/bin/sh"];
  const container = lab.state.running.find((each) => `${each.host}/${each.name}` === where);
  if (container === undefined) return handOver([...enter(nodeOf(lab.nodes, where).pid), ...words]);
  return handOver([
    ...enter(nodeOf(lab.nodes, container.node).pid),
    "nsenter",
    "-t",
    String(container.pid),
    "-n",
    "--",
    ...words,
  ]);
}

/** `sixgate lab docker HOST …`: the Docker client, talking to that host's engine. */
export async function docker(name: string, host: string, words: readonly string[]): Promise<Exit> {
  const lab = await openLab(name);
  if (lab.state.containers !== "docker") {
    throw new Failure(
      "E707",
      `lab ${name}`,
      "This lab has stand-ins instead of Docker engines",
      "start it as root without --stand-in",
    );
  }
  if (!lab.fleet.hosts.has(host as never)) {
    throw new Failure(
      "E704",
      `lab ${name}`,
      `"${host}" is not a host`,
      `hosts: ${[...lab.fleet.hosts.keys()].join(", ")}`,
    );
  }
  return handOver([...enter(nodeOf(lab.nodes, host).pid), dockerClient, ...words]);
}
