import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import { runProcess } from "../runtime/process.ts";

/** A program that the lab starts, and the Debian package that has it. */
export type Program = { readonly name: string; readonly debian: string; readonly path?: string };

const always: readonly Program[] = [
  { name: "ip", debian: "iproute2" },
  { name: "bridge", debian: "iproute2" },
  { name: "nft", debian: "nftables" },
  { name: "conntrack", debian: "conntrack" },
  { name: "ping", debian: "iputils-ping" },
  { name: "sysctl", debian: "procps" },
  { name: "python3", debian: "python3" },
  { name: "nsenter", debian: "util-linux" },
];
const forEngines: readonly Program[] = [
  { name: "iptables", debian: "iptables" },
  { name: "busybox", debian: "busybox-static" },
  { name: "dbus-daemon", debian: "dbus" },
  { name: "networkctl", debian: "systemd" },
];

export function programsFor(containers: "docker" | "stand-in"): readonly Program[] {
  return containers === "docker" ? [...always, ...forEngines] : always;
}

const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Where a program is, or undefined. System folders are searched as well, since a user's PATH often lacks them. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of [...(process.env["PATH"] ?? "").split(":"), ...folders]) {
    const path = join(folder, name);
    if (
      folder !== "" &&
      (await access(path, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  return undefined;
}

/** Programs of the list that this machine lacks. */
export async function missingPrograms(list: readonly Program[]): Promise<readonly Program[]> {
  const found = await Promise.all(list.map((program) => findProgram(program.name)));
  return list.filter((_, at) => found[at] === undefined);
}

/**
 * Installs the Debian packages of what is missing, and says each. Only plain programs: packages that start a service
 * or replace the machine's own network (docker.io, ifupdown2) are never installed, but unpacked into a folder.
 */
export async function installPrograms(missing: readonly Program[], say: (line: string) => void): Promise<void> {
  const packages = [...new Set(missing.map((program) => program.debian))].sort();
  if (packages.length === 0) return;
  const apt = await findProgram("apt-get");
  if (apt === undefined || process.getuid?.() !== 0) {
    const names = missing.map((program) => program.name).join(", ");
    throw new Failure(
      "E002",
      "this machine",
      `Missing programs: ${names}`,
      `install ${packages.join(" ")} (Debian: apt-get install ${packages.join(" ")})`,
    );
  }
  say(`installing Debian packages: ${packages.join(" ")}`);
  const environment = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"];
  const install = [...environment, apt, "install", "-y", "--no-install-recommends", ...packages];
  let ran = await runProcess("apt-get", install, { timeout: 600_000 });
  if (ran.code !== 0) {
    await runProcess("apt-get", [...environment, apt, "update"], { timeout: 600_000 });
    ran = await runProcess("apt-get", install, { timeout: 600_000 });
  }
  if (ran.code === 0) return;
  throw new Failure(
    "E002",
    "apt-get",
    `Could not install ${packages.join(" ")}: ${ran.stderr.trim().slice(-300)}`,
    "install them by hand, then try again",
  );
}
