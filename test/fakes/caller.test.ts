import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProcess } from "../../src/runtime/process.ts";
import { answerCall, byCurl, byNode, type Called, calledWith, curlCan } from "./caller.ts";
import { listen } from "./listen.ts";

const long = "x".repeat(100_000);

test.each([
  ["curl", byCurl, curlCan() ? undefined : "no curl 7.84"],
  ["node", byNode, undefined],
] as const)("a call by %s has every word and all input, and ends as the fake says", async (_, lines, missing) => {
  if (missing !== undefined) return;
  const seen: Called[] = [];
  const server = await listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.push(calledWith(Buffer.concat(chunks).toString()));
      answerCall(response, { code: 3, stdout: "out\n\n", stderr: "it's 50% \\ wrong: ä\n" });
    });
  });
  const folder = mkdtempSync(join(tmpdir(), "sixgate-caller-"));
  try {
    writeFileSync(join(folder, "pfctl"), `#!/bin/sh\n${lines(server.url, "pfctl")}\n`, { mode: 0o755 });
    const words = ["-t", "a b", "", "--", "@x", `'"$HOME\`\n\\`, "ä", long];
    const ran = await runProcess("fake", [join(folder, "pfctl"), ...words], {
      input: `one\n\ntwo${long}`,
      timeout: 60_000,
    });
    expect(ran).toEqual({ code: 3, stdout: "out\n\n", stderr: "it's 50% \\ wrong: ä\n" });
    const quiet = await runProcess("fake", [join(folder, "pfctl")], { timeout: 60_000 });
    expect(quiet.code).toBe(3);
    expect(seen).toEqual([
      { argv: ["pfctl", ...words], input: `one\n\ntwo${long}` },
      { argv: ["pfctl"], input: "" },
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await server.stop();
  }
});
