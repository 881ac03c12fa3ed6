import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askedOpenings } from "../../src/lab/asked.ts";
import { gatewayOf } from "../../src/lab/truth.ts";
import { internetAddress } from "../../src/lab/vantage.ts";
import { bringUp, isRoot, type LabUnderTest } from "./harness.ts";
import { packetTruth } from "./truth.ts";

// The article's network as examples/lab.yaml has it: networkd in every machine, a Docker engine in every host.
describe.skipIf(!isRoot)("lab with Docker engines (needs root)", () => {
  let lab: LabUnderTest;
  beforeAll(async () => {
    lab = await bringUp({ name: "test-docker", file: "examples/lab.yaml", containers: "docker" });
  });
  afterAll(() => lab?.down());
  packetTruth(() => lab);

  test("of all 65,535 ports exactly the declared ones answer, and none of the others makes a sound", async () => {
    const { fleet, running } = lab;
    const openings = [...gatewayOf(fleet, lab.wish.plan).openings, ...askedOpenings(fleet, lab.wish.plan, running)];
    for (const container of lab.running) {
      const declared = openings.flatMap(({ to, service, from }) =>
        to === container.address &&
        service.kind === "ports" &&
        service.transport === "tcp" &&
        from.includes("::/0" as never)
          ? [service.ports.first]
          : [],
      );
      const ran = await lab
        .shell("internet")
        .run(
          [
            "nmap",
            "-6",
            "-n",
            "-Pn",
            "-sS",
            "-p-",
            "--min-rate",
            "20000",
            "--max-retries",
            "1",
            "--host-timeout",
            "60s",
            "-oG",
            "-",
            "-S",
            internetAddress,
            "-e",
            "eth0",
            container.address,
          ],
          { timeout: 90_000 },
        );
      const ports = [...ran.stdout.matchAll(/(\d+)\/(open|closed)\/tcp/g)].map((match) => `${match[1]} ${match[2]}`);
      expect({ to: `${container.host}/${container.name}`, ports }).toEqual({
        to: `${container.host}/${container.name}`,
        ports: declared.map((port) => `${port} ${listens(container, port) ? "open" : "closed"}`),
      });
      expect(ran.stdout).toMatch(/Ignored State: filtered|Status: Up/);
    }
  });
});

function listens(container: LabUnderTest["running"][number], port: number): boolean {
  return container.listens.some((on) => on.transport === "tcp" && on.port === port);
}
