import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/base/failure.ts";
import { listFolder, readText, removeFile, writeText } from "../../src/runtime/files.ts";
import { runProcess } from "../../src/runtime/process.ts";
import type { Ran, RunOptions, Shell } from "../../src/runtime/shell.ts";
import { answerCall, calledWith, callLines } from "./caller.ts";
import { type Listening, listen, withBody } from "./listen.ts";

/** The word by which a stand-in of ssh says that the next one is a command line. */
export const sshWord = "--login";

/** A program of the device, as the fake does it; undefined for one that it has not. */
export type Program = (argv: readonly string[], input: string) => Ran | undefined;

export type FreeBsdOptions = {
  /** Where the device's own folders are. */
  readonly root: string;
  /** Folders of the device, as they are called there. */
  readonly folders: readonly string[];
  readonly programs: readonly string[];
  readonly run: Program;
  /** What sshd gives command lines to; sh where that is not installed. */
  readonly loginShell?: "sh" | "csh";
  /** Called before whatever the controller does over the shell; throws when it is dead by then. */
  readonly step: (what: string) => void;
};

export type FreeBsd = {
  readonly shell: Shell;
  /** Runs a command line as sshd would give it to the login shell. */
  readonly login: (command: string, input: string) => Promise<Ran>;
  /** For stand-ins of ssh. */
  readonly url: string;
  /** Ends what waits on the device, as a restart does. */
  readonly killWaiting: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/**
 * A root shell of FreeBSD on this machine: sh(1) and files are real, in a folder; what only FreeBSD has is the fake's. So
 * scripts of the product run as they are.
 */
export async function freeBsd(options: FreeBsdOptions): Promise<FreeBsd> {
  const { root, folders, programs, run, step, loginShell = "sh" } = options;
  const here = (text: string): string =>
    folders.reduce((all, folder) => all.replaceAll(folder, join(root, folder)), text);
  const there = (text: string): string =>
    folders.reduce((all, folder) => all.replaceAll(join(root, folder), folder), text);
  const bin = join(root, "bin");
  const server: Listening = await listen(
    withBody(async (_request, response, body) => {
      const { argv, input } = calledWith(body);
      const [first, command] = argv;
      const ran = await (first === sshWord ? login(command ?? "", input) : Promise.resolve(call(argv, input))).catch(
        (cause: unknown) => ({ code: 255, stdout: "", stderr: String(cause) }),
      );
      answerCall(response, ran);
    }),
  );
  install(bin, programs, server.url, root);
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` };

  function call(argv: readonly string[], input: string): Ran {
    return run(argv, there(input)) ?? { code: 127, stdout: "", stderr: `${argv[0]}: not found` };
  }
  async function spawned(argv: readonly string[], given: RunOptions): Promise<Ran> {
    const words = ["env", `PATH=${env.PATH}`, ...argv.map(here)];
    const ran = await runProcess("fake device", words, given);
    return { ...ran, stdout: there(ran.stdout), stderr: there(ran.stderr) };
  }
  async function login(command: string, input: string): Promise<Ran> {
    step("login");
    const words = loginShell === "csh" && existsSync("/bin/csh") ? ["csh", "-f"] : ["sh"];
    return spawned([...words, "-c", command], { input: here(input), timeout: 60_000 });
  }
  const shell: Shell = {
    name: "ssh root@fw",
    async run(argv, given = {}) {
      given.signal?.throwIfAborted();
      step(argv.slice(0, 4).join(" "));
      return run(argv, given.input ?? "") ?? spawned(argv, given);
    },
    async read(path) {
      step(`read ${path}`);
      const text = await readText(here(path));
      return text === undefined ? undefined : there(text);
    },
    async list(folder) {
      step(`list ${folder}`);
      return listFolder(here(folder));
    },
    async write(path, text, mode) {
      step(`write ${path}`);
      await writeText(here(path), here(text), mode);
    },
    async remove(path) {
      step(`remove ${path}`);
      await removeFile(here(path));
    },
    async reconnect() {
      step("reconnect");
    },
  };
  async function killWaiting(): Promise<void> {
    const found = await runProcess("fake device", ["pgrep", "-f", `${root}/.*(watch|lane wait)`]);
    for (const pid of found.stdout.split("\n").filter((each) => each !== "")) {
      try {
        process.kill(-Number(pid), "SIGKILL");
      } catch {
        // Ended meanwhile, or no leader of a group.
      }
    }
  }
  return {
    shell,
    login,
    url: server.url,
    killWaiting,
    async stop() {
      await killWaiting();
      await server.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Stand-ins in front of the machine's own programs. `uname` and `daemon` make scripts believe that it is FreeBSD. */
function install(bin: string, programs: readonly string[], url: string, root: string): void {
  mkdirSync(bin, { recursive: true });
  const put = (name: string, text: string): void =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  for (const name of programs) {
    // Reading tables is what scripts do many times: without starting a program each time.
    const quick =
      name === "pfctl"
        ? `if [ "$1" = -t ] && [ "$4" = show ]; then\n  [ -e "${root}/kernel/tables/$2" ] || { echo "pfctl: Table does not exist." >&2; exit 255; }\n  exec cat "${root}/kernel/tables/$2"\nfi\n[ "$*" = "-q -s Tables" ] && exec ls "${root}/kernel/tables"\nif [ "$5" = test ] && [ -e "${root}/kernel/tables/$3" ]; then\n  grep -qx "   $6" "${root}/kernel/tables/$3" && exit 0\n  exit 2\nfi\n`
        : "";
    put(name, `${quick}${callLines(url, name)}`);
  }
  put("uname", "echo FreeBSD");
  put("id", "echo 0");
  // lockf(1): as flock(1) of Linux does it, which says otherwise that nobody got the lock.
  put(
    "lockf",
    'while [ "$1" != "${1#-}" ]; do\n  [ "$1" = -t ] && { wait=$2; shift; }\n  shift\ndone\nexec flock -o -E 75 -w "${wait:-600}" "$@"',
  );
  // daemon(8): a session of its own, in the background, at once.
  put("daemon", 'shift\nsetsid "$@" </dev/null >/dev/null 2>&1 &');
}

export function lostConnection(): Failure {
  return new Failure("E503", "ssh root@fw", "Not reached: connection closed", "try `ssh root@fw true` by hand");
}
