import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { startMachine } from "../../test/machine.ts";
import { nameForSsh, noSshMachine, sshClient, startSshd } from "../../test/ssh-machine.ts";
import { commandLine, quoteWord, sshShell } from "./shell-ssh.ts";

const walk = fileURLToPath(new URL("../../test/ssh-walk.ts", import.meta.url));
const reason = await noSshMachine([]);

test.skipIf(reason !== undefined)(
  "sshShell does over real ssh what a Shell promises, whatever the words hold",
  async () => {
    const at = await startMachine("ssh", []);
    try {
      const publicKey = await sshClient(at.shell);
      const there = await startSshd(at.shell, { address: "127.0.0.1", port: 2222, publicKey });
      await nameForSsh(at.shell, { there, nowhere: { ...there, port: 2223 } });
      const ran = await at.shell.run([process.execPath, walk], { timeout: 60_000 });
      expect(ran.stderr).toBe("");
      const seen = JSON.parse(ran.stdout) as Record<string, unknown> & { readonly hostile: string };
      expect(seen).toMatchObject({
        echoed: { code: 0, stdout: `${seen.hostile}||-n|` },
        text: `${seen.hostile}\n`,
        mode: "600\n",
        listed: ["ssh.txt"],
        gone: true,
        input: { code: 0, stdout: "by standard input" },
        failed: { code: 7, stderr: "no\n" },
        own: { code: 255, stdout: "before\n", stderr: "PHP Fatal error\n" },
        long: { code: 255, stdout: "", stderr: "two\nlines" },
        killed: { code: 143 },
        cut: expect.stringContaining("E503"),
        refused: expect.stringContaining("E503"),
        connection: expect.stringContaining("127.0.0.1"),
      });
      expect(await at.shell.list("/run")).not.toContain("owned");
    } finally {
      await at.stop();
    }
  },
  90_000,
);

test("sshShell refuses a target that ssh could read as an option", () => {
  for (const target of ["-oProxyCommand=id", "", "a b", "host;id"]) expect(() => sshShell(target)).toThrow(/E503/);
});

test("quoteWord leaves plain words and quotes the rest", () => {
  expect(["plain/path-1.conf", "", "it's", "$(id)"].map(quoteWord)).toEqual([
    "plain/path-1.conf",
    "''",
    "'it'\\''s'",
    "'$(id)'",
  ]);
});

const shells = ["sh", "bash", "busybox", "csh"].filter((name) => spawnSync(name, ["--help"]).error === undefined);

test.each(shells)("commandLine means the same to %s, whatever the words hold", (shell) => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom(...Array.from("ab'\"!$`\\ \n*~;&|<>#%^{}[]()?=é")) }), {
        maxLength: 4,
      }),
      (words) => {
        const line = commandLine(["printf", "<%s>", ...words]);
        const argv = shell === "busybox" ? ["ash", "-c", line] : ["-c", line];
        const ran = spawnSync(shell, argv, { encoding: "utf8" });
        // printf(1) without words prints its format once.
        expect(ran.stdout).toBe(words.length === 0 ? "<>" : words.map((word) => `<${word}>`).join(""));
      },
    ),
    { numRuns: 60 },
  );
});
