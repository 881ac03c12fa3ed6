import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { version } from "../../src/cli/version.ts";
import { runProcess } from "../../src/runtime/process.ts";
import type { Ran } from "../../src/runtime/shell.ts";
import { project } from "../cli/run.ts";
import { type DebianRoot, debianRoot, earlierDeb, noDebianRoot } from "./debian-root.ts";

const hasDpkg = (await runProcess("local", ["sh", "-c", "command -v dpkg-deb"])).code === 0;
const lacking = await noDebianRoot();
let folder: string;

/** Runs `npm run package`, as a release does, under the given umask. */
async function packages(name: string, umask: string): Promise<string> {
  const out = join(folder, name);
  const script = `umask ${umask}; cd "$1" && exec npm run --silent package -- --out "$2" ${hasDpkg ? "" : "--only tarball"}`;
  const ran = await runProcess("local", ["sh", "-c", script, "sh", project, out], { timeout: 240_000 });
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  return out;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sixgate-packages-"));
  await packages("first", "022");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sums = (out: string): string => readFileSync(join(out, "SHA256SUMS"), "utf8");
const deb = (): string => {
  const name = readdirSync(join(folder, "first")).find((each) => each.endsWith(".deb") && each.startsWith("sixgate_"));
  return join(folder, "first", name ?? "none");
};

test("the same sources give the same bytes, whatever the umask", async () => {
  expect(sums(await packages("second", "077"))).toBe(sums(join(folder, "first")));
});

test("the npm tarball runs from a prefix of its own", async () => {
  const [prefix, cwd] = [join(folder, "prefix"), join(folder, "elsewhere")];
  mkdirSync(cwd);
  const tarball = join(folder, "first", `sixgate-${version}.tgz`);
  const npm = [
    "npm",
    "install",
    "--global",
    "--prefix",
    prefix,
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    tarball,
  ];
  const installed = await runProcess("local", npm, { timeout: 120_000 });
  expect(installed, installed.stderr).toMatchObject({ code: 0 });
  const sixgate = (...words: readonly string[]): Promise<Ran> =>
    runProcess("local", ["env", "-C", cwd, join(prefix, "bin/sixgate"), ...words], { timeout: 60_000 });
  expect(await sixgate("--version")).toMatchObject({ code: 0, stdout: `${version}\n` });
  const home = join(prefix, "lib/node_modules/sixgate");
  const article = join(home, "examples/article.yaml");
  expect(await sixgate("validate", "-f", article)).toMatchObject({ code: 0 });
  expect((await sixgate("addr", "-f", article)).stdout).toContain("2001:db8:1234:321d:20::2/80");
  expect(await sixgate("render", "-f", article, "-o", join(cwd, "rendered"))).toMatchObject({ code: 0 });
  expect(readdirSync(join(cwd, "rendered")).length).toBeGreaterThan(2);
  // Everything that a checkout has for its own making stays at home, and what is pulled in is pinned.
  expect(existsSync(join(home, "src"))).toBe(false);
  expect(existsSync(join(home, "npm-shrinkwrap.json"))).toBe(true);
  // The page, once the project has one.
  expect(existsSync(join(home, "dist/ui/index.html"))).toBe(existsSync(join(project, "src/web/ui")));
  expect(existsSync(join(home, "node_modules/vitest"))).toBe(false);
});

describe.skipIf(lacking !== undefined)(`the Debian package${lacking === undefined ? "" : ` (${lacking})`}`, () => {
  let root: DebianRoot;
  const must = async (script: string, ...args: readonly string[]): Promise<string> => {
    const ran = await root.sh(script, ...args);
    expect(ran, `${script}\n${ran.stdout}\n${ran.stderr}`).toMatchObject({ code: 0 });
    return ran.stdout;
  };
  const dpkg = "dpkg --force-unsafe-io --force-confold";
  /** Files and users of ours; the machine itself may have some, of labs for one. */
  const ours =
    "find /etc /usr /var -xdev -iname '*sixgate*' -not -path '/var/lib/dpkg/*'; grep sixgate /etc/passwd /etc/group || true";
  let before: string;

  beforeAll(async () => {
    root = await debianRoot("package-test");
    before = await must(ours);
  });
  afterAll(() => root.end());

  test("an upgrade keeps state and edited configuration, and takes what is gone", async () => {
    const earlier = await root.bring(await earlierDeb(deb(), "0.0.9"));
    await must(`${dpkg} -i "$1"`, earlier);
    await must("install -d -o sixgate -g sixgate -m 700 /var/lib/sixgate; echo kept >/var/lib/sixgate/a-state");
    await must("echo '# edited' >>/etc/default/sixgate-controller; echo 'sixgate: 1' >/etc/sixgate/fleet.yaml");
    await must(`${dpkg} -i "$1"`, await root.bring(deb()));
    expect(await must("cat /var/lib/sixgate/a-state /etc/sixgate/fleet.yaml")).toBe("kept\nsixgate: 1\n");
    expect(await must("tail -n 1 /etc/default/sixgate-controller")).toBe("# edited\n");
    expect(await must("stat -c '%U %a' /var/lib/sixgate")).toBe("sixgate 700\n");
    expect((await root.sh("test -e /usr/lib/sixgate/of-the-past")).code).toBe(1);
    await must("rm -r /var/lib/sixgate /etc/sixgate/fleet.yaml");
  });

  test("installed it has touched no firewall, and no service is to start", async () => {
    expect(await must("nft list ruleset")).toBe("");
    expect(await must("find /etc/systemd -name '*sixgate-controller*' -o -name '*sixgate-agent*'")).toBe("");
    expect(await must("dpkg --verify sixgate")).toBe(" c /etc/default/sixgate-controller\n".replace(/^/, "??5??????"));
  });

  test.each(["controller", "agent"])("systemd takes the unit of the %s, and leaves it little", async (name) => {
    const unit = `sixgate-${name}.service`;
    const verified = await root.sh(`systemd-analyze verify --man=no ${unit}`);
    expect(verified.stderr).toBe("");
    const judged = await must(`systemd-analyze security --offline=true /usr/lib/systemd/system/${unit}`);
    expect(Number(/exposure level for \S+: ([\d.]+)/.exec(judged)?.[1])).toBeLessThan(2);
  });

  test("every verb has a manual page that man can set", async () => {
    const pages = (await must("ls /usr/share/man/man1 | grep ^sixgate")).trim().split("\n");
    expect(pages).toContain("sixgate-apply.1.gz");
    const said = await must(
      'for each in /usr/share/man/man1/sixgate*; do MANROFFSEQ= man --warnings -E UTF-8 -l -Tutf8 -Z "$each" 2>&1 >/dev/null; done',
    );
    expect(said).toBe("");
    expect(await must("MANWIDTH=80 man -l /usr/share/man/man1/sixgate-open.1.gz | cat")).toContain("--because");
  });

  test("it brings the Node that it runs on, whatever PATH has", async () => {
    await must("printf '#!/bin/sh\\nexit 7\\n' >/usr/local/bin/node; chmod +x /usr/local/bin/node");
    expect(await must("sixgate --version")).toBe(`${version}\n`);
    expect(
      await must("sixgate completion bash | cmp - /usr/share/bash-completion/completions/sixgate; echo same"),
    ).toBe("same\n");
  });

  test("the controller runs as its unit has it: no root, one capability; it opens, closes and ends", async () => {
    const ended = await must(gatewayStory);
    expect(ended.split("\n").filter((line) => line.startsWith("== "))).toEqual([
      "== up",
      "== open",
      "== closed",
      "== ended 0",
    ]);
    // Drops are told and the lane is netlink: both are koffi's, which a package could have lost.
    expect(ended).not.toMatch(/E520|"level":50/);
  });

  test("removed it keeps state, purged it leaves nothing", async () => {
    await must("dpkg --force-unsafe-io --remove sixgate");
    expect(await must("ls /etc/sixgate /var/lib/sixgate")).toContain("fleet.yaml");
    await must("dpkg --force-unsafe-io --purge sixgate");
    expect(await must(ours)).toBe(before);
  });
});

/** A gateway from the example's files, and the controller under its unit's user, capabilities and options. */
const gatewayStory = `
for each in wan wan6 lan; do ip link add $each type veth peer name x-$each; ip link set $each up; ip link set x-$each up; done
ip addr add 10.10.10.2/24 dev lan
awk '/^openings:/ { skip = 1; next } /^[^ ]/ { skip = 0 } !skip' /usr/share/doc/sixgate/examples/lab.yaml >/etc/sixgate/fleet.yaml
sixgate render gateway -f /etc/sixgate/fleet.yaml -o /tmp/rendered >/dev/null
nft -f /tmp/rendered/fw/etc/sixgate/boot.nft
install -d -o sixgate -g sixgate -m 700 /var/lib/sixgate
install -d -o sixgate -g sixgate /run/sixgate
. /etc/default/sixgate-controller
setpriv --reuid=sixgate --regid=sixgate --init-groups --inh-caps=-all,+net_admin --ambient-caps=-all,+net_admin \\
  --bounding-set=-all,+net_admin --no-new-privs sixgate controller $SIXGATE_CONTROLLER_OPTIONS 2>/tmp/log &
controller=$!
trap 'kill $controller 2>/dev/null || true; cat /tmp/log' EXIT
for i in $(seq 200); do if [ -S /run/sixgate/controller.sock ] && sixgate status >/dev/null 2>&1; then break; fi; sleep 0.1; done
sixgate status >/dev/null && echo "== up"
to=2001:db8:1234:321d:21::99
sixgate open "$to" 443 --for 10m --because "the package's test" >/dev/null
nft list ruleset | grep -q "$to . tcp . 443" && echo "== open"
id=$(sixgate openings --json | sed -n 's/.*"id": "\\([^"]*\\)".*/\\1/p' | head -n 1)
sixgate close "$id" --because "the test is over" >/dev/null
if ! nft list ruleset | grep -q "$to . tcp"; then echo "== closed"; fi
kill -TERM $controller; code=0; wait $controller || code=$?
echo "== ended $code"
`;
