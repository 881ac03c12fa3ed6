import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesByPrograms } from "../../../src/runtime/files-by-programs.ts";
import { httpAt } from "../../../src/runtime/http.ts";
import type { Ran, RunOptions, Shell } from "../../../src/runtime/shell.ts";
import type { ApiWay } from "../../../src/runtime/way.ts";
import { answerCall, calledWith } from "../caller.ts";
import { type Certified, certificate } from "../certificate.ts";
import { listen } from "../listen.ts";
import { edit, type Interfaces, parse, unified, write } from "./interfaces.ts";
import { answerVm, type FakeVm } from "./vms.ts";

/** What goes wrong, until it is taken away. */
export type Fault =
  | "task fails"
  | "next task fails"
  | "task warns"
  | "task is slow"
  | "bridges hidden"
  | "foreign edit"
  | "edit while staging"
  | "596"
  | "501"
  | "config lost"
  | "no rights"
  | "reload does nothing"
  | "not json"
  | "modified config";

export type FakePve = {
  readonly url: string;
  readonly certified: Certified;
  readonly faults: Set<Fault>;
  readonly vms: Map<number, FakeVm>;
  /** Every request that was let in: `PUT /nodes/pve/network`. */
  readonly seen: string[];
  readonly cluster: { firewall: boolean };
  /** /etc/network/interfaces, and what waits to be applied. */
  read(): Promise<string>;
  staged(): Promise<string | undefined>;
  write(text: string): Promise<void>;
  stage(text: string): Promise<void>;
  /** The node goes on by itself: every task comes to its end. */
  settle(): void;
  /** The next call of this kind is done and not answered before `release`. `done` is for those who wait for that. */
  hold(call: RegExp): { readonly done: Promise<void>; readonly release: () => void };
  /** The root shell of the node over HTTP, for a stand-in for ssh. */
  readonly system: { readonly url: string };
  /** With a root shell on the node, or without. */
  way(token?: string, shell?: boolean, sha256?: string): ApiWay;
  stop(): Promise<void>;
};

export const token = "root@pam!sixgate=11111111-2222-3333-4444-555555555555";
export const node = "pve";
const physical = ["enp1s0", "enp2s0"];
const full: Record<string, number> = Object.fromEntries(
  "Sys.Audit Sys.Modify SDN.Audit SDN.Use VM.Audit VM.Config.Network VM.Config.Cloudinit VM.Config.Options VM.Clone VM.Allocate VM.PowerMgmt"
    .split(" ")
    .map((name) => [name, 1]),
);

/** A node of Proxmox VE over TLS with a certificate of its own, its file of interfaces in a folder, and a shell there. */
export async function startPve(): Promise<FakePve> {
  const folder = await mkdtemp(join(tmpdir(), "fake-pve-"));
  const main = join(folder, "etc/network/interfaces");
  const next = `${main}.new`;
  await mkdir(join(folder, "etc/network"), { recursive: true });
  await mkdir(join(folder, "bin"));
  const text = (path: string): Promise<string | undefined> => readFile(path, "utf8").catch(() => undefined);
  const faults = new Set<Fault>();
  const vms = new Map<number, FakeVm>();
  const seen: string[] = [];
  const cluster = { firewall: true };
  /** In force: what the kernel would have. */
  let live: Interfaces = new Map();
  const tasks = new Map<string, FakeTask>();
  const held: Held[] = [];

  const isFailing = (): boolean => faults.has("task fails") || faults.delete("next task fails");
  async function reload(): Promise<string | undefined> {
    if (isFailing()) return "command 'ifreload -a' failed: exit code 1";
    if (!faults.has("reload does nothing")) live = parse((await text(main)) ?? "", physical);
    return undefined;
  }
  function task(kind: string, failure: string | undefined, end: (well: boolean) => void = () => undefined): string {
    const upid = `UPID:${node}:0000${tasks.size}:00:00:${kind}::root@pam:`;
    tasks.set(upid, {
      polls: faults.has("task is slow") ? 6 : 1,
      end: () => end(failure === undefined),
      exit: failure ?? (faults.has("task warns") ? "WARNINGS: 1" : "OK"),
      log: failure === undefined ? [] : ["error: vmbr9: no such device", failure],
    });
    return upid;
  }
  const current = async (): Promise<Interfaces> => parse((await text(next)) ?? (await text(main)) ?? "", physical);
  const shown = ([name, iface]: [string, Interfaces extends Map<string, infer I> ? I : never]): Record<
    string,
    unknown
  > => ({
    iface: name,
    ...iface,
    ...(live.has(name) ? { active: 1 } : {}),
  });

  async function network(method: string, name: string | undefined, form: Record<string, string>): Promise<unknown> {
    if (method === "GET" && name === undefined) {
      if (faults.has("foreign edit") && (await text(next)) === undefined)
        await writeFile(next, `${await text(main)}\nauto vmbr9\niface vmbr9 inet manual\n\tbridge-ports none\n`);
      const staged = await text(next);
      const changes = staged === undefined ? "" : unified((await text(main)) ?? "", staged);
      const rows = [...(await current())].filter(
        ([, iface]) => !(faults.has("bridges hidden") && iface["type"] === "bridge"),
      );
      return { data: rows.map(shown), ...(changes === "" ? {} : { changes }) };
    }
    const all = await current();
    if (method === "GET") {
      const found = all.get(name ?? "");
      if (found === undefined) throw new Refused(400, { iface: "interface does not exist" });
      return { data: shown([name ?? "", found]) };
    }
    if (method === "PUT" && name === undefined) {
      const staged = await text(next);
      if (staged !== undefined) await writeFile(main, staged);
      await rm(next, { force: true });
      return { data: task("srvreload", await reload()) };
    }
    if (method === "DELETE" && name === undefined) {
      await rm(next, { force: true });
      return { data: null };
    }
    const target = name ?? form["iface"] ?? "";
    if (method === "POST" && all.has(target)) throw new Refused(400, { iface: "interface already exists" });
    if (method !== "POST" && !all.has(target)) throw new Refused(400, { iface: "interface does not exist" });
    if (method === "DELETE") all.delete(target);
    else {
      const wrong = edit(all, target, form);
      if (wrong !== undefined) throw new Refused(400, { iface: wrong });
    }
    await writeFile(next, write(all));
    if (faults.has("edit while staging")) {
      faults.delete("edit while staging");
      edit(all, "vmbr8", { type: "bridge", autostart: "1" });
      await writeFile(next, write(all));
    }
    return { data: null };
  }

  async function answer(method: string, path: string, form: Record<string, string>, known: boolean): Promise<unknown> {
    if (!known) throw new Refused(401, {}, "authentication failure");
    seen.push(`${method} ${path}`);
    if (faults.has("596")) throw new Refused(596, {}, "Connection timed out");
    if (faults.has("501") && method !== "GET") throw new Refused(501, {}, `Method '${method} ${path}' not implemented`);
    const parts = path.split("/").slice(1).map(decodeURIComponent);
    const [first, second, third, fourth, fifth] = parts;
    if (path === "/version") return { data: { release: "9.1", version: "9.1.3", repoid: "deadbeef" } };
    if (path === "/access/permissions")
      return { data: faults.has("no rights") ? { "/": {}, "/nodes/pve": { "Sys.Audit": 1 } } : { "/": full } };
    if (path === "/cluster/firewall/options") return { data: { enable: cluster.firewall ? 1 : 0 } };
    if (path === "/cluster/resources")
      return {
        data: [...vms].map(([vmid, { name, running, template, lock }]) => ({
          vmid,
          name,
          ...(lock === undefined ? {} : { lock }),
          node,
          type: "qemu",
          template: template ? 1 : 0,
          status: running ? "running" : "stopped",
        })),
      };
    if (first !== "nodes" || second !== node) throw new Refused(500, {}, `hostname lookup '${second}' failed`);
    if (third === "time") return { data: { time: Math.floor(Date.now() / 1000) } };
    if (third === "network") return network(method, fourth, form);
    if (third === "tasks") {
      const found = tasks.get(fourth ?? "");
      if (found === undefined) throw new Refused(500, {}, "no such task");
      if (fifth === "log") return { data: found.log.map((t, n) => ({ n: n + 1, t })) };
      if (--found.polls === 0) found.end();
      return { data: found.polls > 0 ? { status: "running" } : { status: "stopped", exitstatus: found.exit } };
    }
    if (third === "qemu") {
      if (faults.has("modified config") && method === "PUT")
        throw new Refused(500, {}, "detected modified configuration - file changed by other user? Try again.");
      const done = answerVm(vms, method, parts.slice(3), form);
      if (done.kind === "task")
        return { data: task(done.name, done.wrong ?? (isFailing() ? "no space left" : undefined), done.end) };
      if (done.kind === "refused") throw new Refused(done.status, {}, done.text);
      return { data: done.data };
    }
    throw new Refused(501, {}, `Method '${method} ${path}' not implemented`);
  }

  const certified = certificate({ name: node });
  const listening = await listen((request, response) => {
    void (async () => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "https://pve");
      const known = request.headers.authorization === `PVEAPIToken=${token}` || request.headers["x-node"] === folder;
      const form = Object.fromEntries([...searchParams, ...new URLSearchParams(await bodyOf(request))]);
      if (pathname === "/ifreload") {
        const wrong = await reload();
        response.writeHead(wrong === undefined ? 200 : 500).end(wrong ?? "");
        return;
      }
      try {
        const path = pathname.replace(/^\/api2\/json/, "");
        const found = await answer(request.method ?? "GET", path, form, known);
        const at = held.findIndex(({ call }) => call.test(`${request.method} ${path}`));
        const [hold] = at === -1 ? [] : held.splice(at, 1);
        hold?.done();
        await hold?.released;
        response.writeHead(200).end(faults.has("not json") ? "<html>" : JSON.stringify(found));
      } catch (cause) {
        const { status, errors, message } = cause instanceof Refused ? cause : new Refused(500, {}, String(cause));
        response.writeHead(status).end(JSON.stringify({ data: null, errors, message: `${message}\n` }));
      }
    })();
  }, certified);

  // Programs of the node, for the dead-man: they come back by the same door, as root.
  const call = `exec ${process.execPath} --disable-warning=ExperimentalWarning ${join(import.meta.dirname, "program.ts")} ${listening.url} ${folder}`;
  for (const name of ["ifreload", "pvesh"]) {
    await writeFile(join(folder, "bin", name), `#!/bin/sh\n${call} ${name} "$@"\n`);
    await chmod(join(folder, "bin", name), 0o755);
  }

  const shell = shellIn(folder);
  const logins = await listen((request, response) => {
    void (async () => {
      // The first word says only that the next is a command line.
      const { argv, input } = calledWith(await bodyOf(request));
      answerCall(response, await shell.run(["sh", "-c", argv[1] ?? ""], { input }));
    })();
  });
  return {
    url: listening.url,
    system: { url: logins.url },
    certified,
    faults,
    settle() {
      for (const each of tasks.values()) {
        if (each.polls > 0) each.end();
        each.polls = 0;
      }
    },
    hold(call) {
      const [done, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      held.push({ call, done: done.resolve, released: released.promise });
      return { done: done.promise, release: released.resolve };
    },
    vms,
    seen,
    cluster,
    read: async () => (await text(main)) ?? "",
    staged: () => text(next),
    stage: (now) => writeFile(next, now),
    async write(now) {
      await writeFile(main, now);
      await reload();
    },
    way(asked = token, withShell = false, sha256 = certified.sha256) {
      const http = httpAt({
        device: node,
        url: listening.url,
        trust: { kind: "fingerprint", sha256 },
        headers: { authorization: `PVEAPIToken=${asked}` },
      });
      return { name: http.name, http, reconnect: () => http.reconnect(), ...(withShell ? { shell } : {}) };
    },
    async stop() {
      await logins.stop();
      await listening.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type FakeTask = { polls: number; readonly exit: string; readonly log: readonly string[]; readonly end: () => void };
type Held = { readonly call: RegExp; readonly done: () => void; readonly released: Promise<void> };

class Refused extends Error {
  readonly status: number;
  readonly errors: Record<string, string>;
  constructor(status: number, errors: Record<string, string>, message = "Parameter verification failed.") {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** A real shell whose /etc/network and /run/sixgate are in the folder, and whose first programs are the fake's. */
function shellIn(folder: string): Shell {
  const moved = (text: string): string =>
    text.replaceAll("/etc/network/", `${folder}/etc/network/`).replaceAll("/run/sixgate", `${folder}/run/sixgate`);
  // What was moved on the way in is moved back on the way out, so that a script reads back as it was written.
  const back = (text: string): string =>
    text.replaceAll(`${folder}/etc/network/`, "/etc/network/").replaceAll(`${folder}/run/sixgate`, "/run/sixgate");
  function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const [program = "", ...rest] = argv.map(moved);
      const child = spawn(program, rest, {
        env: { ...process.env, PATH: `${folder}/bin:${process.env["PATH"] ?? ""}` },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (chunk) => (stdout += chunk));
      child.stderr.on("data", (chunk) => (stderr += chunk));
      child.once("error", reject);
      child.once("close", (code) => resolve({ code: code ?? 1, stdout: back(stdout), stderr: back(stderr) }));
      // A program that does not read its input is none of ours.
      child.stdin.on("error", () => undefined);
      child.stdin.end(options.input === undefined ? "" : moved(options.input));
    });
  }
  return { name: "shell of pve", run, ...filesByPrograms("shell of pve", run) };
}
