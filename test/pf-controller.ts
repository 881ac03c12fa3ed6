import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inFolder, main, sixgate } from "./cli/run.ts";
import { pfFleet } from "./conformance/pf-states.ts";
import { FakeEngine, flavours } from "./fake-engine.ts";
import type { Kernel } from "./fakes/kernel.ts";
import { listen } from "./fakes/listen.ts";
import { sshStandIn } from "./fakes/ssh.ts";

/** A fake firewall that a controller can be put beside. */
export type Firewall = {
  readonly device: { readonly kernel: Kernel; readonly key: string; readonly secret?: string };
  readonly url: string;
  readonly system: { readonly url: string };
};

/** Controller and agent as processes, beside a fake firewall that they reach over HTTP and a stand-in for ssh. */
export type Beside = {
  readonly engine: FakeEngine;
  /** The words to find the stand-in for ssh by. */
  readonly PATH: string;
  /** Waits, at most three minutes; looks every so many milliseconds, a hundred by default. */
  readonly until: (met: () => boolean, every?: number) => Promise<void>;
  /** Ends the controller as systemd would, and gives its exit code. */
  readonly stopController: () => Promise<number | null>;
  /** What both said. */
  readonly said: () => string;
};

export async function besidePf(
  kind: "pfsense" | "opnsense",
  { device, url, system }: Firewall,
  work: (beside: Beside) => Promise<void>,
): Promise<void> {
  const engine = await FakeEngine.start(flavours["28.5"]);
  const children: ChildProcess[] = [];
  try {
    await inFolder(async (folder) => {
      const [agentPort, apiPort] = [await freePort(), await freePort()];
      const fleet = pfFleet({ kind, policy: "{ allow: [{ ports: [80], from: any }] }" })
        .replace("2001:db8:10ff:1::/64", "2001:db8:1:2::/64")
        .replace("https://10.10.10.2", url);
      const controlled = `${fleet}controller: { address: 127.0.0.1, agent-port: ${agentPort}, api-port: ${apiPort} }\n`;
      writeFileSync(join(folder, "fleet.yaml"), controlled);
      const [token, socket] = [join(folder, "admin.token"), join(folder, "controller.sock")];
      const PATH = `${sshStandIn(folder, system.url)}:${process.env["PATH"] ?? ""}`;
      const env = { ...process.env, PATH, FW_KEY: device.key, FW_SECRET: device.secret };
      const said: string[] = [];
      const begin = (...words: readonly string[]): ChildProcess => {
        const child = spawn(process.execPath, [main, ...words], {
          cwd: folder,
          env,
          stdio: ["ignore", "ignore", "pipe"],
        });
        child.stderr?.on("data", (chunk: Buffer) => void said.push(chunk.toString()));
        children.push(child);
        return child;
      };
      const until: Beside["until"] = async (met, every = 100) => {
        const began = performance.now();
        while (performance.now() - began < 180_000) {
          if (met()) return;
          await sleep(every);
        }
        throw new Error(`Waited in vain: ${said.join("")}`);
      };
      const must = async (...words: readonly string[]): Promise<void> => {
        const ran = await sixgate(words, { cwd: folder });
        if (ran.code !== 0) throw new Error(`${words.join(" ")}: ${ran.code}: ${ran.err}`);
      };
      const own = ["--socket", socket, "--token-file", token];
      const controller = begin("controller", "-f", "fleet.yaml", "--state", join(folder, "state"), ...own);
      await until(() => said.join("").includes("agents on port"));
      const [ticket, agent] = [join(folder, "join"), join(folder, "agent")];
      await must("invite", "vm1", "--out", ticket, "--controller", `unix:${socket}`, "--token-file", token);
      await must("enrol", `127.0.0.1:${agentPort}`, "--token-file", ticket, "--state", agent);
      begin("agent", "--state", agent, "--docker", engine.path);
      await work({
        engine,
        PATH,
        until,
        async stopController() {
          controller.kill("SIGTERM");
          await until(() => controller.exitCode !== null);
          return controller.exitCode;
        },
        said: () => said.join(""),
      });
    });
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await engine.end();
  }
}

async function freePort(): Promise<number> {
  const { url, stop } = await listen(() => undefined);
  await stop();
  return Number(new URL(url).port);
}
