import { expect, test, vi } from "vitest";
import { importRig, resultOf } from "../../test/import-rig.ts";
import { type ImportDockerOptions, importFromDocker } from "./import-docker.ts";

const rig = importRig();

async function imported(options: ImportDockerOptions): Promise<string> {
  return (await resultOf<{ text: string }>((terminal) => importFromDocker(options, terminal))).text;
}

/** A program `docker` that answers as an engine with one network and one container does. */
async function standIn(code = 0): Promise<void> {
  const answers = {
    version: '{"Server":{"Version":"28.5.1"}}',
    networks: '[{"Name":"web","Driver":"bridge","Internal":false,"IPAM":{"Config":[{"Subnet":"172.18.0.0/16"}]}}]',
    containers:
      '[{"Name":"/www","Config":{"Image":"nginx"},"HostConfig":{"PortBindings":{"443/tcp":[{"HostIp":""}]}},"NetworkSettings":{"Networks":{"web":{}}}}]',
  };
  const script = `#!/bin/sh
[ ${code} = 0 ] || { echo "Cannot connect to the Docker daemon" >&2; exit ${code}; }
case "$*" in
  *"network ls"*) echo n1 ;;
  *" ps "*) echo c1 ;;
  *" version "*) echo '${answers.version}' ;;
  *"network inspect n1"*) echo '${answers.networks}' ;;
  *"container inspect c1"*) echo '${answers.containers}' ;;
  *) exit 64 ;;
esac
`;
  await rig.file("docker", script, 0o755);
  vi.stubEnv("PATH", `${rig.path()}:${process.env["PATH"] ?? ""}`);
}

test("importFromDocker asks the engine of this machine, and says how it is reached", async () => {
  await standIn();
  const text = await imported({ host: "app1" });
  expect(text).toMatch(/ {2}app1:\n {4}reach: local\n/);
  expect(text).toContain('engine: "28.5"\n');
  expect(text).toContain('sixgate.open: "443"  # guess: published');
});

test("importFromDocker rejects where the engine does not answer: no fleet file without networks", async () => {
  await standIn(1);
  await expect(imported({})).rejects.toThrow("E503");
});

test("importFromDocker refuses a host's name, a way and a file that are none", async () => {
  await expect(imported({ host: "No Host" })).rejects.toThrow("E802");
  await expect(imported({ reach: "telnet:vm1" })).rejects.toThrow("E802");
  await expect(imported({ reach: "none" })).rejects.toThrow("E802");
  await expect(imported({ file: rig.path("none.json") })).rejects.toThrow("E807");
  await expect(imported({ file: await rig.file("other.json", '{"a": 1}') })).rejects.toThrow("E570");
});
