import { expect, test } from "vitest";
import { layerOf } from "../../../test/conformance/states.ts";
import type { Shell } from "../../runtime/shell.ts";
import { localShell } from "../../runtime/shell-local.ts";
import { inspectEngine } from "./inspect.ts";

const desired = layerOf("engine", "vm1");

function shellSaying(stdout: string, code = 0): Shell {
  return { ...localShell(), list: async () => [], run: async () => ({ code, stdout, stderr: "no engine" }) };
}

test("inspectEngine tells the version that runs and who filters", async () => {
  const found = await inspectEngine(shellSaying('{"Version":"20.10.24+dfsg1"}'), desired);
  expect(found).toEqual([
    { what: "engine", found: "Docker 20.10.24+dfsg1" },
    { what: "profile", found: "gateway-only: the gateway alone filters" },
  ]);
});

test("inspectEngine names the line to write where another engine runs", async () => {
  const [engine] = await inspectEngine(shellSaying('{"Version":"28.5.1"}'), desired);
  expect(engine).toMatchObject({ code: "E614", fix: expect.stringContaining('docker.engine: "28.5"') });
});

test("inspectEngine rejects where the engine does not answer", async () => {
  await expect(inspectEngine(shellSaying("", 1), desired)).rejects.toThrow("E503");
});
