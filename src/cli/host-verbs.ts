import type { Command } from "commander";
import type { Runner } from "./runner.ts";

const agentFolder = "/var/lib/sixgate/agent";
const dockerSocket = "/var/run/docker.sock";

/** Verbs that run on a host: a machine with containers. */
export function addHostVerbs(program: Command, run: Runner): void {
  program
    .command("enrol <controller>")
    .description(
      "make this machine a host of the fleet, with a join token; the controller as name, address or [address]:port",
    )
    .option("--token-file <file>", "where the token is; else standard input, or a prompt that doesn't show it")
    .option("--state <folder>", "where key and certificate are kept", agentFolder)
    .option("--again", "also where this machine is enrolled already: key and certificate are replaced")
    .action((controller: string, options: { tokenFile?: string; state: string; again?: boolean }) =>
      run(async (terminal, globals) =>
        (await import("./enrol.ts")).enrol({ ...options, controller, ask: globals.input }, terminal),
      ),
    );
  program
    .command("agent")
    .description("tell the controller what runs on this host; stays until it is ended, log on standard error")
    .option("--state <folder>", "where `sixgate enrol` wrote to", agentFolder)
    .option("--docker <socket>", "the Docker engine's socket, or that of a proxy before it", dockerSocket)
    .action((options: { state: string; docker: string }) =>
      run(async () => (await import("./agent.ts")).agent(options)),
    );
}
