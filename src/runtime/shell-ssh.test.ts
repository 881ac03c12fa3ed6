import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { noMachine, startMachine } from "../../test/machine.ts";
import { cacheFolder } from "../lab/cache.ts";
import { layTree } from "../lab/node-files.ts";
import { commandLine, quoteWord, sshShell } from "./shell-ssh.ts";
import { unpackPackages } from "./unpack.ts";

const walk = fileURLToPath(new URL("../../test/ssh-walk.ts", import.meta.url));
const reason = await noMachine(["apt-get", "ssh", "ssh-keygen"]);

// A whole machine of its own: sshd wants a user, and ssh reads the config of the user that it runs as.
const setUp = `mkdir -p /run/sshd; mkdir -m 700 /run/home /run/home/.ssh
sed -i 's#^root:\\([^:]*:[^:]*:[^:]*:[^:]*\\):[^:]*:#root:\\1:/run/home:#' /etc/passwd; grep -q '^root:.*:/run/home:' /etc/passwd
grep -q ^sshd: /etc/passwd || echo 'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd
ssh-keygen -q -t ed25519 -N '' -f /run/home/.ssh/id; cp /run/home/.ssh/id.pub /run/home/.ssh/authorized_keys
ssh-keygen -q -t ed25519 -N '' -f /run/host-key
printf 'Port 2222\\nListenAddress 127.0.0.1\\nHostKey /run/host-key\\nPermitRootLogin prohibit-password\\nAuthorizedKeysFile /run/home/.ssh/authorized_keys\\nStrictModes no\\nUsePAM no\\n' >/run/sshd_config
/usr/sbin/sshd -f /run/sshd_config -E /run/sshd.log
printf '[127.0.0.1]:2222 %s\\n' "$(cut -d' ' -f1,2 /run/host-key.pub)" >/run/home/.ssh/known_hosts
printf 'Host there\\n HostName 127.0.0.1\\n Port 2222\\n User root\\n IdentityFile /run/home/.ssh/id\\nHost nowhere\\n HostName 127.0.0.1\\n Port 2223\\n' >/run/home/.ssh/config`;

test.skipIf(reason !== undefined)(
  "sshShell does over real ssh what a Shell promises, whatever the words hold",
  async (context) => {
    const at = await startMachine("ssh", []);
    try {
      await layTree(
        at.shell,
        await unpackPackages(["openssh-server", "libwrap0"], join(cacheFolder(), "packages"), (line) =>
          console.log(line),
        ),
      );
      // Unpacked without what it depends on: another release may want more libraries than this machine has.
      const lacks = await at.sh(
        "for path in /usr/sbin/sshd /usr/lib/openssh/sshd-*; do if [ -x $path ]; then ldd $path; fi; done | grep 'not found' || true",
      );
      if (lacks.stdout !== "") context.skip(`sshd lacks libraries: ${lacks.stdout.trim()}`);
      const made = await at.sh(setUp);
      expect(made.stderr.replace(/.*setlocale.*\n/g, "")).toBe("");
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
