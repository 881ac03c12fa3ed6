import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sshShell } from "../../src/runtime/shell-ssh.ts";
import { inFolder } from "./run.ts";

/** An `ssh` that writes down how it is called and says yes to a kept connection only. */
const keptOnly = `#!/bin/sh
echo "$*" >>"$(dirname "$0")/calls"
case $* in *ControlPath=none*) echo "Connection refused" >&2; exit 255 ;; esac
`;

test("sshShell reconnect asks by a connection of its own, and rejects where only the kept one lives", async () => {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, "ssh"), keptOnly);
    chmodSync(join(folder, "ssh"), 0o755);
    const { PATH: path, TMPDIR: temporary } = process.env;
    process.env["PATH"] = `${folder}:${path}`;
    // Where its sockets go: a test worker is ended without the `exit` that removes them.
    process.env["TMPDIR"] = folder;
    try {
      const shell = sshShell("root@gw.example");
      expect((await shell.run(["true"])).code).toBe(0);
      await expect(shell.reconnect?.()).rejects.toThrow("E503 No new connection: Connection refused");
    } finally {
      process.env["PATH"] = path;
      if (temporary === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = temporary;
    }
    const calls = readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
    expect(calls[0]).toContain("ControlMaster=auto");
    expect(calls[1]).toMatch(/ControlMaster=no .*-- root@gw\.example true$/);
  });
});
