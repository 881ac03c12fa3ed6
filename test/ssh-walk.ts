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
await shell.reconnect?.();
const refused = await sshShell("nowhere")
  .run(["true"])
  .then(
    () => "reached",
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
    refused,
    connection: connection.stdout,
  }),
);
