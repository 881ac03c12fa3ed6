// Runs inside a node that has sshd on its loopback: walks sshShell through everything a driver asks of a Shell.
import { sshShell } from "../src/runtime/shell-ssh.ts";

const shell = sshShell("there");
const hostile = "a b'c\"d$(touch /run/owned)`id`\n;*?[x]\\ é";
const echoed = await shell.run(["printf", "%s|", hostile, "", "-n"], {});
await shell.write("/run/made/by/ssh.txt", `${hostile}\n`, 0o600);
const text = await shell.read("/run/made/by/ssh.txt");
const mode = await shell.run(["stat", "-c", "%a", "/run/made/by/ssh.txt"]);
const listed = await shell.list("/run/made/by");
await shell.remove("/run/made/by/ssh.txt");
const gone = await shell.read("/run/made/by/ssh.txt");
const input = await shell.run(["cat"], { input: "by standard input" });
const failed = await shell.run(["sh", "-c", "echo no >&2; exit 7"]);
// ssh's own status: the program's is told from it, and from a connection that broke while the program ran.
const own = await shell.run(["sh", "-c", "echo before; echo PHP Fatal error >&2; exit 255"]);
const long = await shell.run(["sh", "-c", "printf 'two\nlines' >&2\nexit 255"]);
const killed = await shell.run(["sh", "-c", "kill -TERM $$"]);
await shell.reconnect?.();
const refused = await sshShell("nowhere")
  .run(["true"])
  .then(
    () => "reached",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
const endSession = `at=$PPID
until [ "$(ps -o comm= -p "$at" | cut -c 1-4)" = sshd ]; do at=$(ps -o ppid= -p "$at" | tr -d ' '); done
kill -KILL "$at"; sleep 60`;
const cut = await shell.run(["sh", "-c", endSession]).then(
  (ran) => JSON.stringify(ran),
  (error: unknown) => (error instanceof Error ? error.message : String(error)),
);
const connection = await shell.run(["sh", "-c", "echo $SSH_CONNECTION"]);
process.stdout.write(
  JSON.stringify({
    hostile,
    echoed,
    text,
    mode: mode.stdout,
    listed,
    gone: gone === undefined,
    input,
    failed,
    own,
    long,
    killed,
    cut,
    refused,
    connection: connection.stdout,
  }),
);
