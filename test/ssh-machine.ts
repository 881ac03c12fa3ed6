import { join } from "node:path";
import { cacheFolder } from "../src/lab/cache.ts";
import { layTree } from "../src/lab/node-files.ts";
import { runProcess } from "../src/runtime/process.ts";
import type { Shell } from "../src/runtime/shell.ts";
import { localShell } from "../src/runtime/shell-local.ts";
import { unpackPackages } from "../src/runtime/unpack.ts";
import { must } from "./holder.ts";
import { noMachine } from "./machine.ts";

/** Where a machine's sshd listens, and what tells it from any other. */
export type Sshd = { readonly address: string; readonly port: number; readonly hostKey: string };

/**
 * Why a machine with sshd can't be had here, printed once; undefined when it can. sshd is Debian's package, laid over a
 * test's machine and never installed: that would start it on this one.
 */
export async function noSshMachine(programs: readonly string[]): Promise<string | undefined> {
  const reason = (await noMachine(["apt-get", "ssh", "ssh-keygen", ...programs])) ?? (await noSshd());
  if (reason?.startsWith("sshd") === true) console.log(`skipped: ${reason}`);
  return reason;
}

function sshdTree(): Promise<string> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  return unpackPackages(["openssh-server", "libwrap0"], join(cacheFolder(), "packages"), say);
}

/** Unpacked without what it depends on: another release may want more libraries than this machine has. */
async function noSshd(): Promise<string | undefined> {
  const tree = await sshdTree().catch((cause: unknown) => new Error(String(cause)));
  if (tree instanceof Error) return `sshd can't be fetched: ${tree.message}`;
  const script =
    'for path in "$1"/usr/sbin/sshd "$1"/usr/lib/openssh/sshd-*; do if [ -x "$path" ]; then LD_LIBRARY_PATH=$(dirname "$1"/usr/lib/*/libwrap.so.0) ldd "$path"; fi; done | grep "not found" || true';
  const lacks = (await must(localShell(), ["sh", "-c", script, "sh", tree])).trim();
  return lacks === "" ? undefined : `sshd lacks libraries: ${lacks}`;
}

/** A home of root's own in the machine: with the config that its ssh reads, and without what its shell would read at each login. */
const home = `mkdir -m 700 -p /run/home /run/home/.ssh
sed -i 's#^root:\\([^:]*:[^:]*:[^:]*:[^:]*\\):[^:]*:#root:\\1:/run/home:#' /etc/passwd; grep -q '^root:.*:/run/home:' /etc/passwd`;

/** Lets root in with one key. The machine has an /etc and a /run of its own, and sshd ends with it. */
export async function startSshd(
  shell: Shell,
  { address, port, publicKey }: { readonly address: string; readonly port: number; readonly publicKey: string },
): Promise<Sshd> {
  await layTree(shell, await sshdTree());
  const config = [
    `Port ${port}`,
    `ListenAddress ${address}`,
    "HostKey /run/host-key",
    "PermitRootLogin prohibit-password",
    "AuthorizedKeysFile /run/authorized-keys",
    "StrictModes no",
    "UsePAM no",
    "",
  ];
  await shell.write("/run/authorized-keys", publicKey, 0o600);
  await shell.write("/run/sshd_config", config.join("\n"));
  const script = `${home}
mkdir -p /run/sshd
grep -q ^sshd: /etc/passwd || echo 'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd
ssh-keygen -q -t ed25519 -N '' -f /run/host-key
/usr/sbin/sshd -f /run/sshd_config -E /run/sshd.log
cut -d' ' -f1,2 /run/host-key.pub`;
  return { address, port, hostKey: (await must(shell, ["sh", "-ec", script])).trim() };
}

/** Gives root of a machine a key for ssh, and gives the key's public half. */
export async function sshClient(shell: Shell): Promise<string> {
  const script = `${home}
ssh-keygen -q -t ed25519 -N '' -f /run/home/.ssh/id
cat /run/home/.ssh/id.pub`;
  return must(shell, ["sh", "-ec", script]);
}

/** What ssh is told of the machines that it is to reach, by the names that it knows them by. */
export async function nameForSsh(shell: Shell, machines: Readonly<Record<string, Sshd>>): Promise<void> {
  const all = Object.entries(machines);
  // known_hosts(5): a port that is not ssh's own is named, with the address in brackets.
  const known = all.map(
    ({ 1: { address, port, hostKey } }) => `${port === 22 ? address : `[${address}]:${port}`} ${hostKey}\n`,
  );
  const hosts = all.map(
    ([name, { address, port }]) =>
      `Host ${name}\n HostName ${address}\n Port ${port}\n User root\n IdentityFile /run/home/.ssh/id\n`,
  );
  await shell.write("/run/home/.ssh/known_hosts", known.join(""), 0o600);
  await shell.write("/run/home/.ssh/config", hosts.join(""), 0o600);
}

/** A cable between two machines, by the processes that hold them. */
export async function cable(
  near: { readonly pid: number; readonly name: string },
  far: { readonly pid: number; readonly name: string },
): Promise<void> {
  const argv = ["ip", "link", "add", near.name, "netns", `${near.pid}`, "type", "veth", "peer", "name", far.name];
  const ran = await runProcess("local", [...argv, "netns", `${far.pid}`]);
  if (ran.code !== 0) throw new Error(ran.stderr);
}
