import { spawn } from "node:child_process";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Failure } from "../base/failure.ts";
import { runProcess } from "../runtime/process.ts";
import { type Engine, engineInRoot } from "./engine.ts";
import { installPrograms, missingPrograms } from "./programs.ts";

/** Engines that a root can be built of, with the Debian release that has them. */
const releases = { "26.1": "trixie", "28.5": "forky" } as const;

export type EngineRelease = keyof typeof releases;

export const engineReleases: readonly EngineRelease[] = ["26.1", "28.5"];

export function isEngineRelease(text: string): text is EngineRelease {
  return Object.hasOwn(releases, text);
}

const packages: readonly string[] = ["docker.io", "docker-cli", "iptables", "nftables", "iproute2", "procps"];

export function engineRootPath(release: EngineRelease, cache: string): string {
  return join(cache, "engines", release);
}

/** The engine root if it was built before. */
export async function builtEngineRoot(release: EngineRelease, cache: string): Promise<Engine | undefined> {
  const folder = engineRootPath(release, cache);
  const there = await access(folder).then(
    () => true,
    () => false,
  );
  return there ? engineInRoot(folder) : undefined;
}

/** The mirror that this machine's own apt takes Debian's main packages from. */
async function aptMirror(): Promise<string> {
  const format = "$(RELEASE) $(COMPONENT) $(REPO_URI)";
  const ran = await runProcess("lab", ["apt-get", "indextargets", "--format", format, "Created-By: Packages"]);
  const uris = ran.stdout
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([release, component, uri]) => component === "main" && uri !== undefined && !/[-/]/.test(release ?? "-"))
    .map((words) => words[2] ?? "");
  const [uri] = uris.filter((each) => /^https?:\/\/[\w.:[\]/~-]+$/.test(each));
  if (uri !== undefined) return uri;
  throw new Failure(
    "E732",
    "lab",
    "This machine's apt knows no Debian mirror over HTTP",
    "give a directory made elsewhere: --engine DIR",
  );
}

async function aptProxy(): Promise<readonly string[]> {
  const ran = await runProcess("lab", ["apt-config", "dump", "--format", "%v%n", "Acquire::http::Proxy"]);
  const proxy = ran.stdout.trim();
  return ran.code === 0 && /^https?:\/\/\S+$/.test(proxy) ? [`http_proxy=${proxy}`] : [];
}

/** Runs debootstrap and says each of its phases once. Its mounts are its own, so a kill leaves none behind. */
function debootstrap(
  argv: readonly string[],
  proxy: readonly string[],
  say: (line: string) => void,
): Promise<readonly string[]> {
  const own = ["unshare", "--mount", "--propagation", "private", "--"];
  const child = spawn("env", ["LC_ALL=C", ...proxy, ...own, "debootstrap", ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const last: string[] = [];
  const said = new Set<string>();
  const hear = (line: string): void => {
    last.push(line);
    if (last.length > 8) last.shift();
    const phase = /^I: (Retrieving|Extracting|Unpacking|Configuring)/.exec(line)?.[1];
    if (phase === undefined || said.has(phase)) return;
    said.add(phase);
    say(`  ${phase.toLowerCase()} packages`);
  };
  createInterface({ input: child.stdout }).on("line", hear);
  createInterface({ input: child.stderr }).on("line", hear);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(last);
      else
        reject(
          new Failure(
            "E732",
            "debootstrap",
            last.join("; ").slice(-500),
            "is the release on this machine's Debian mirror? Or give --engine DIR",
          ),
        );
    });
  });
}

/**
 * A directory with a Debian release and its Docker engine in it, below `cache`: built by debootstrap from this machine's own
 * mirror the first time (one to two minutes, 400 MB), found there afterwards. Nothing of it is installed or started.
 */
export async function buildEngineRoot(
  release: EngineRelease,
  cache: string,
  say: (line: string) => void,
): Promise<Engine> {
  const found = await builtEngineRoot(release, cache);
  if (found !== undefined) return found;
  await installPrograms(await missingPrograms([{ name: "debootstrap", debian: "debootstrap" }]), say);
  const [mirror, proxy] = [await aptMirror(), await aptProxy()];
  const folder = engineRootPath(release, cache);
  const partial = `${folder}.partial-${process.pid}`;
  await mkdir(join(cache, "engines"), { recursive: true });
  say(
    `building an engine root with Docker ${release} (Debian ${releases[release]}) in ${folder}: one to two minutes, 400 MB, once`,
  );
  try {
    // An older debootstrap has no script for a newer release; they are all the script of sid.
    const script = "/usr/share/debootstrap/scripts/sid";
    await debootstrap(
      ["--variant=minbase", `--include=${packages.join(",")}`, releases[release], partial, mirror, script],
      proxy,
      say,
    );
    const engine = await engineInRoot(partial);
    const has = `${engine.version.major}.${engine.version.minor}`;
    if (has !== release)
      throw new Failure(
        "E732",
        folder,
        `Debian ${releases[release]} now has Docker ${has}`,
        "make a directory with the engine you want, and give --engine DIR",
      );
    for (const spare of ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"]) {
      await rm(join(partial, spare), { recursive: true, force: true });
    }
    await rename(partial, folder);
    return await engineInRoot(folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
