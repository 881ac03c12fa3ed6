import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { Access } from "../change/guard.ts";
import type { Shell } from "../runtime/shell.ts";

/**
 * How somebody came in to a machine by ssh: over the Shell's own connection, or, on this machine, the session that
 * sixgate was started from. Undefined where nobody did, or where the session is another machine's (a namespace of the
 * lab inherits the environment). Rejects when the machine can't say.
 */
export async function readAccess(shell: Shell, signal?: AbortSignal): Promise<Access | undefined> {
  // sshd(8): "client-address client-port server-address server-port".
  const [from, , address] = (await ask(shell, ["sh", "-c", 'printf %s "${SSH_CONNECTION:-}"'], signal))
    .split(" ")
    .map(withoutZone);
  if (from === undefined || address === undefined || !isAddress(from) || !isAddress(address)) return undefined;
  const family = address.includes(":") ? "-6" : "-4";
  const own = await ask(shell, ["ip", family, "-o", "addr", "show", "to", address], signal);
  if (own.trim() === "") return undefined;
  const route = longest(await ask(shell, ["ip", family, "route", "show", "match", from], signal), family);
  const device = /^\d+: ([^\s@:]+)/.exec(own)?.[1];
  return { address, from, ...(route === undefined ? {} : { route }), ...(device === undefined ? {} : { device }) };
}

function withoutZone(word: string): string {
  return word.replace(/%.*$/, "");
}

function isAddress(word: string): boolean {
  return /^[0-9a-f.:]{2,}$/i.test(word);
}

/** Of the routes that match, the most specific, as a prefix. The kernel shows a single address without a length. */
function longest(text: string, family: "-4" | "-6"): string | undefined {
  const all = family === "-6" ? 128 : 32;
  const found = text.split("\n").flatMap((line) => {
    const [first = "", second = ""] = line.trim().split(/\s+/);
    const to = /^(?:unreachable|blackhole|prohibit|unicast)$/.test(first) ? second : first;
    if (to === "") return [];
    const prefix = to === "default" ? (family === "-6" ? "::/0" : "0.0.0.0/0") : to.includes("/") ? to : `${to}/${all}`;
    return [{ prefix, length: Number(prefix.slice(prefix.lastIndexOf("/") + 1)) }];
  });
  return found.sort((a, b) => b.length - a.length)[0]?.prefix;
}

async function ask(shell: Shell, argv: readonly string[], signal?: AbortSignal): Promise<string> {
  const ran = await shell.run(argv, signal === undefined ? {} : { signal });
  if (ran.code === 0) return ran.stdout;
  const text = `\`${argv.slice(0, 3).join(" ")}\` ended with ${ran.code}: ${printable(ran.stderr.trim().slice(0, 300))}`;
  throw new Failure("E517", shell.name, text, "try it by hand on the device");
}
