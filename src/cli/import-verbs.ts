import type { Command } from "commander";
import type { ImportDockerOptions } from "./import-docker.ts";
import type { ImportProxmoxOptions } from "./import-proxmox.ts";
import type { Runner } from "./runner.ts";

/** What is read from a file alone: the words that `importers` has, and what the file is. */
const fromFiles: Readonly<Record<string, string>> = {
  pfsense: "from pfSense: its config.xml, as Diagnostics > Backup gives it",
  opnsense: "from OPNsense: its config.xml, as System > Configuration > Backups gives it",
};

/** Verbs that make a fleet file of what is there. They read and print; nothing is changed. */
export function addImportVerbs(program: Command, run: Runner): void {
  const verb = program.command("import").description("print a fleet file made from what is there; guesses are marked");
  verb
    .command("proxmox [file]")
    .description("from a node of Proxmox VE: its /etc/network/interfaces, or its API with the VMs")
    .option("--api <url>", "the node's API: https://192.0.2.10:8006")
    .option("--key <where>", "where the API token is: env:NAME or file:/PATH")
    .option("--fingerprint <sha256>", "of the node's own certificate")
    .option("--node <name>", "the node's name", "pve")
    .option("-o, --out <fleet.yaml>", "write it there; else print")
    .action((file: string | undefined, options: Omit<ImportProxmoxOptions, "file">) =>
      run(async (terminal) =>
        (await import("./import-proxmox.ts")).importProxmox(
          { ...options, ...(file === undefined ? {} : { file }) },
          terminal,
        ),
      ),
    );
  verb
    .command("docker [file]")
    .description(
      "from a Docker engine: one that runs here or behind ssh, or what `docker` printed as JSON (docs/hosts.md)",
    )
    .option("--reach <way>", "local, or ssh:user@host")
    .option("--host <name>", "the host's name in the fleet")
    .option("-o, --out <fleet.yaml>", "write it there; else print")
    .action((file: string | undefined, options: Omit<ImportDockerOptions, "file">) =>
      run(async (terminal) =>
        (await import("./import-docker.ts")).importFromDocker(
          { ...options, ...(file === undefined ? {} : { file }) },
          terminal,
        ),
      ),
    );
  for (const [kind, description] of Object.entries(fromFiles))
    verb
      .command(`${kind} <file>`)
      .description(description)
      .option("-o, --out <fleet.yaml>", "write it there; else print")
      .action((file: string, options: { out?: string }) =>
        run(async (terminal) => (await import("./import.ts")).importFleet(kind, file, options, terminal)),
      );
}
