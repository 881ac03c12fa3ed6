import { execFile } from "node:child_process";
import { access, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { EngineDesired } from "../../../src/desired/desired.ts";
import { render } from "../../../src/drivers/docker/convert.ts";
import { audit } from "../../../src/drivers/docker/limits.ts";
import { cacheFolder } from "../../../src/lab/cache.ts";

const run = promisify(execFile);
const here = import.meta.dirname;
const cases = (await readdir(here, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

async function desiredOf(name: string): Promise<EngineDesired> {
  return JSON.parse(await readFile(join(here, name, "desired.json"), "utf8")) as EngineDesired;
}

/** `/etc/docker/daemon.json` of a case lies in `files/etc/docker/daemon.json`. */
function goldenPath(name: string, path: string): string {
  return join(here, name, "files", path);
}

async function filesOf(name: string): Promise<readonly string[]> {
  const entries = await readdir(join(here, name, "files"), { recursive: true, withFileTypes: true });
  const root = join(here, name, "files");
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** What the dockerd of that version says of a daemon.json, or why it can't be asked. */
async function verdict(
  version: string,
  file: string,
): Promise<{ readonly skip: string } | { readonly said: string; readonly refused: boolean }> {
  const ask = async (argv: readonly string[]): Promise<{ said: string; refused: boolean }> => {
    const [program = "", ...args] = argv;
    const out = await run(program, args).catch((error: { stdout: string; stderr: string }) => error);
    const said = `${out.stdout}${out.stderr}`;
    return { said, refused: said.includes("unable to configure the Docker daemon") };
  };
  if (process.getuid?.() !== 0) return { skip: "needs root to enter an engine root" };
  const root = join(cacheFolder(), "engines", version);
  if (await isThere(root)) {
    const script = 'mount --bind "$1" "$2/mnt" && exec chroot "$2" dockerd --validate --config-file /mnt/daemon.json';
    return ask(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", file, root]);
  }
  const own = await run("dockerd", ["--version"]).then(
    ({ stdout }) => stdout,
    () => "",
  );
  if (!own.includes(` ${version}.`))
    return { skip: `no dockerd ${version} here (looked for ${root} and the machine's own)` };
  const flags = ["--config-file", join(file, "daemon.json")];
  // 20.10 knows no --validate; as nobody it reads the file, then ends for want of root.
  const { stdout: help } = await run("dockerd", ["--help"]);
  if (help.includes("--validate")) return ask(["dockerd", "--validate", ...flags]);
  return ask(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "dockerd", ...flags]);
}

async function validate(version: string, text: string): Promise<Awaited<ReturnType<typeof verdict>>> {
  const folder = await mkdtemp(join(tmpdir(), "sixgate-golden-"));
  try {
    await run("chmod", ["755", folder]);
    await writeFile(join(folder, "daemon.json"), text);
    return await verdict(version, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe.each(cases)("%s", (name) => {
  const version = name.split("-")[0] ?? "";

  test("render writes the golden files and no others", async () => {
    const desired = await desiredOf(name);
    expect(audit(desired).filter((each) => each.severity === "error")).toEqual([]);
    const files = render(desired);
    for (const file of files) await expect(file.text).toMatchFileSnapshot(goldenPath(name, file.path));
    expect(await filesOf(name)).toEqual(files.map((file) => file.path).sort());
  });

  test("render gives a daemon.json that this engine's dockerd takes", async ({ skip }) => {
    const text = render(await desiredOf(name)).find((file) => file.path === "/etc/docker/daemon.json")?.text ?? "";
    const answer = await validate(version, text);
    if ("skip" in answer) return skip(answer.skip);
    expect(answer).toMatchObject({ refused: false });
    // The judge must be able to say no.
    expect(await validate(version, text.replace("{", '{ "fixed-cidr-v7": "x",'))).toMatchObject({ refused: true });
  });

  test("render gives a door that nft takes", async ({ skip }) => {
    const text = render(await desiredOf(name)).find((file) => file.path.endsWith(".nft"))?.text;
    if (text === undefined) return skip("this engine has no nftables door");
    const folder = await mkdtemp(join(tmpdir(), "sixgate-golden-"));
    try {
      await writeFile(join(folder, "door.nft"), text);
      const out = await run("unshare", [
        process.getuid?.() === 0 ? "-n" : "-rn",
        "nft",
        "-c",
        "-f",
        join(folder, "door.nft"),
      ]);
      expect(out.stderr).toBe("");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

test("golden cases cover every profile, and are named by engine and profile", async () => {
  const desired = await Promise.all(cases.map(desiredOf));
  expect([...new Set(desired.map((each) => each.profile))].sort()).toEqual(["gateway-only", "routed", "two-gates"]);
  for (const [at, each] of desired.entries()) expect(cases[at]).toContain(`${each.engine.major}`);
});
