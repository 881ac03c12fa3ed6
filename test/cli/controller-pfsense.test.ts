import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { statesOf } from "../conformance/lane-pf.ts";
import { pfFleet } from "../conformance/pf-states.ts";
import { startArticle } from "../conformance/target-pfsense.ts";
import { FakeEngine, flavours } from "../fake-engine.ts";
import { listen } from "../fakes/listen.ts";
import { sshStandIn } from "../fakes/ssh.ts";
import { inFolder, main, sixgate } from "./run.ts";

test("beside a pfSense a label becomes an entry of a table, and when the container ends entry and flow are gone", {
  timeout: 400_000,
}, async () => {
  const fake = await startArticle();
  const engine = await FakeEngine.start(flavours["28.5"]);
  const children: ChildProcess[] = [];
  const { kernel } = fake.device;
  try {
    await inFolder(async (folder) => {
      const [agentPort, apiPort] = [await freePort(), await freePort()];
      const fleet = pfFleet({ kind: "pfsense", policy: "{ allow: [{ ports: [80], from: any }] }" })
        .replace("2001:db8:10ff:1::/64", "2001:db8:1:2::/64")
        .replace("https://10.10.10.2", fake.url);
      const controlled = `${fleet}controller: { address: 127.0.0.1, agent-port: ${agentPort}, api-port: ${apiPort} }\n`;
      writeFileSync(join(folder, "fleet.yaml"), controlled);
      const [token, socket] = [join(folder, "admin.token"), join(folder, "controller.sock")];
      const PATH = `${sshStandIn(folder, fake.system.url)}:${process.env["PATH"] ?? ""}`;
      const env = { ...process.env, PATH, FW_KEY: fake.device.key };
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
      const until = async (met: () => boolean): Promise<void> => {
        for (let n = 0; n < 1800; n++) {
          if (met()) return;
          await sleep(100);
        }
        throw new Error(`Waited in vain: ${said.join("")}`);
      };
      const own = ["--socket", socket, "--token-file", token];
      const controller = begin("controller", "-f", "fleet.yaml", "--state", join(folder, "state"), ...own);
      await until(() => said.join("").includes("agents on port"));
      const asked = ["--controller", `unix:${socket}`, "--token-file", token];
      const invited = await sixgate(["invite", "vm1", "--out", join(folder, "join"), ...asked], { cwd: folder });
      expect(invited, invited.err).toMatchObject({ code: 0 });
      const joining = ["--token-file", join(folder, "join"), "--state", join(folder, "agent")];
      const enrolled = await sixgate(["enrol", `127.0.0.1:${agentPort}`, ...joining], { cwd: folder });
      expect(enrolled, enrolled.err).toMatchObject({ code: 0 });
      begin("agent", "--state", join(folder, "agent"), "--docker", engine.path);

      let id = "";
      engine.act((model) => {
        id = model.create({ name: "web", labels: { "sixgate.open": "80; 2375" } });
        model.start(id);
      });
      const web = "2001:db8:1:2:21::2";
      const table = (): readonly string[] => [...(kernel.tables.get("sgl_tcp_80") ?? [])];
      await until(() => table().length > 0);
      expect(table()).toEqual([web]);
      expect([...kernel.tables.keys()].filter((each) => each.includes("2375"))).toEqual([]);
      expect(kernel.rules.some(({ text }) => text.includes("on vtnet0") && text.includes("<sgl_tcp_80>"))).toBe(true);
      kernel.states.push(
        ...statesOf(`2001:db8:77::1 > ${web} tcp 80`, 1),
        ...statesOf(`${web} > 2001:db8:77::1 tcp 80`, 2),
      );

      engine.act((model) => model.kill(id));
      await until(() => table().length === 0);
      await until(() => kernel.states.length === 2);
      // What the container itself began is not an opening's.
      expect(kernel.states.map(({ from }) => from)).toEqual([web, web]);
      controller.kill("SIGTERM");
      await until(() => controller.exitCode !== null);
      expect(controller.exitCode).toBe(0);
      expect(said.join("")).not.toContain(fake.device.key);
    });
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await engine.end();
    await fake.stop();
  }
});

async function freePort(): Promise<number> {
  const { url, stop } = await listen(() => undefined);
  await stop();
  return Number(new URL(url).port);
}
