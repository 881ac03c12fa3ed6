// Debian's package of a stage: the program, its npm packages and the Node that it runs on, below /usr/lib/sixgate.
import { createHash } from "node:crypto";
import {
  cpSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { type Architecture, architectures } from "./release.ts";
import { project, run } from "./run.ts";
import { billOfMaterials } from "./sbom.ts";
import { plainModes, write } from "./stage.ts";

export type DebOptions = {
  readonly stage: string;
  /** A folder to work in, made anew. */
  readonly tree: string;
  /** Where the package is written to. */
  readonly out: string;
  readonly version: string;
  readonly architecture: Architecture;
  /** Seconds; every file is dated with it. */
  readonly date: number;
};

/** Builds the package and gives its path. The same stage, version and date give the same bytes. */
export function makeDeb(options: DebOptions): string {
  const { tree, stage, architecture, date } = options;
  rmSync(tree, { recursive: true, force: true });
  const home = join(tree, "usr/lib/sixgate");
  mkdirSync(join(tree, "usr"), { recursive: true });
  cpSync(stage, home, { recursive: true });
  addPackages(home, architecture);
  addNode(home, architecture);
  const bill = billOfMaterials(date, architectures[architecture]);
  write(join(home, "sbom.cdx.json"), `${JSON.stringify(bill, null, 2)}\n`);
  addPlaces(tree, home);
  addControl(tree);
  return finish(options);
}

/** `npm ci` by the shrinkwrap: the same versions and hashes as in the project's lock file, no install scripts. */
function addPackages(home: string, architecture: Architecture): void {
  npmCi(home, architecture);
  // What koffi is compiled from, and npm's own lists: nothing of it is read.
  for (const name of ["koffi/vendor", "koffi/doc", ".bin", ".package-lock.json"])
    rmSync(join(home, "node_modules", name), { recursive: true, force: true });
  rmSync(join(home, "npm-shrinkwrap.json"));
}

function npmCi(folder: string, architecture: Architecture): void {
  const target = ["--os=linux", `--cpu=${architectures[architecture]}`, "--libc=glibc"];
  run(["npm", "ci", "--omit=dev", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", ...target], {
    cwd: folder,
  });
}

/** The program file and its licence of the pinned Node, not its 67 MB of headers. */
function addNode(home: string, architecture: Architecture): void {
  const runtime = join(home, "runtime");
  npmCi(runtime, architecture);
  const brought = join(runtime, "node_modules", `node-linux-${architectures[architecture]}`);
  const kept = ["bin", "LICENSE", "package.json"];
  for (const name of readdirSync(brought)) if (!kept.includes(name)) rmSync(join(brought, name), { recursive: true });
  for (const name of [".bin", ".package-lock.json"])
    rmSync(join(runtime, "node_modules", name), { recursive: true, force: true });
  // The launcher takes this Node, whatever PATH has: what was tested is what runs.
  write(join(runtime, "brought-only"), "");
}

/** Everything that has its place elsewhere in a Debian system. */
function addPlaces(tree: string, home: string): void {
  const doc = join(tree, "usr/share/doc/sixgate");
  mkdirSync(doc, { recursive: true });
  mkdirSync(join(tree, "usr/bin"), { recursive: true });
  symlinkSync("../lib/sixgate/sixgate", join(tree, "usr/bin/sixgate"));
  for (const name of ["README.md", "docs"]) renameSync(join(home, name), join(doc, name));
  // The lab reads one of the examples, so they stay where the program is.
  symlinkSync("../../../lib/sixgate/examples", join(doc, "examples"));
  compressed(join(doc, "changelog.gz"), readFileSync(join(home, "CHANGELOG.md"), "utf8"));
  rmSync(join(home, "CHANGELOG.md"));
  write(join(doc, "copyright"), copyright(home));
  rmSync(join(home, "LICENSE"));
  for (const name of readdirSync(join(home, "man")))
    compressed(join(tree, "usr/share/man/man1", `${name}.gz`), readFileSync(join(home, "man", name), "utf8"));
  rmSync(join(home, "man"), { recursive: true });
  for (const [shell, path] of [
    ["bash", "usr/share/bash-completion/completions/sixgate"],
    ["zsh", "usr/share/zsh/vendor-completions/_sixgate"],
    ["fish", "usr/share/fish/vendor_completions.d/sixgate.fish"],
  ] as const)
    write(join(tree, path), run([process.execPath, join(home, "dist/cli/main.js"), "completion", shell]));
  for (const name of ["controller", "agent"]) {
    const unit = `sixgate-${name}.service`;
    write(join(tree, "usr/lib/systemd/system", unit), readFileSync(join(project, "examples", name, unit), "utf8"));
    write(
      join(tree, "etc/default", `sixgate-${name}`),
      readFileSync(join(project, "packaging/debian", `sixgate-${name}.default`), "utf8"),
    );
  }
  write(join(tree, "usr/lib/sysusers.d/sixgate.conf"), readFileSync(join(project, "packaging/sysusers.conf"), "utf8"));
}

function compressed(path: string, text: string): void {
  write(path, "");
  writeFileSync(path, gzipSync(text, { level: 9 }));
}

/** Our licence whole; of the others where each stands. */
function copyright(home: string): string {
  const licence = readFileSync(join(home, "LICENSE"), "utf8").trim();
  const indented = licence.replaceAll(/^$/gm, ".").replaceAll(/^/gm, " ");
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: sixgate
Comment: npm packages and Node.js have their licences beside them, below
 /usr/lib/sixgate/node_modules and /usr/lib/sixgate/runtime/node_modules;
 /usr/lib/sixgate/sbom.cdx.json lists all of them.

Files: *
Copyright: the sixgate developers
License: MIT
${indented}
`;
}

function addControl(tree: string): void {
  const from = join(project, "packaging/debian");
  for (const name of ["postinst", "prerm", "postrm"])
    write(join(tree, "DEBIAN", name), readFileSync(join(from, name), "utf8"), 0o755);
  write(join(tree, "DEBIAN/conffiles"), "/etc/default/sixgate-agent\n/etc/default/sixgate-controller\n");
}

function finish({ tree, out, version, architecture, date }: DebOptions): string {
  plainModes(tree);
  const files = filesBelow(tree).filter((path) => !relative(tree, path).startsWith("DEBIAN/"));
  const sums = files.map((path) => `${md5(path)}  ${relative(tree, path)}\n`);
  write(join(tree, "DEBIAN/md5sums"), sums.join(""));
  const control = readFileSync(join(project, "packaging/debian/control.in"), "utf8")
    .replace("@VERSION@", version)
    .replace("@ARCHITECTURE@", architecture)
    .replace("@SIZE@", String(Math.ceil(files.reduce((sum, path) => sum + statSync(path).size, 0) / 1024)));
  write(join(tree, "DEBIAN/control"), control);
  datedAll(tree, date);
  const path = join(out, `sixgate_${version}_${architecture}.deb`);
  mkdirSync(out, { recursive: true });
  // One thread: how many there are shows in the bytes. zstd: dpkg has it since Debian 12, and Node packs in seconds.
  const packing = ["--root-owner-group", "--threads-max=1", "-Zzstd", "-z12", "--uniform-compression"];
  run(["dpkg-deb", ...packing, "--build", tree, path], { env: { SOURCE_DATE_EPOCH: String(date) } });
  return path;
}

function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function md5(path: string): string {
  return createHash("md5").update(readFileSync(path)).digest("hex");
}

function datedAll(folder: string, date: number): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    lutimesSync(join(folder, name), date, date);
  lutimesSync(folder, date, date);
}

/** `sha256sum`'s line for a file. */
export function checksumLine(path: string): string {
  return `${createHash("sha256").update(readFileSync(path)).digest("hex")}  ${basename(path)}\n`;
}
