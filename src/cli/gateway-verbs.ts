import type { Command } from "commander";
import { places } from "../web/places.ts";
import type { ControllerVerbOptions } from "./controller.ts";
import { prefixOption } from "./prefix-option.ts";
import type { Runner } from "./runner.ts";

/** Verbs that run on the gateway, or on the machine beside it. */
export function addGatewayVerbs(program: Command, run: Runner): void {
  const controller = program
    .command("controller")
    .description("keep what is open in step with the containers; stays until it is ended, log on standard error")
    .option("-f, --file <fleet.yaml>", "the fleet file; else the nearest fleet.yaml upwards. SIGHUP reads it again")
    .addOption(prefixOption())
    .option("--state <folder>", "what must outlive it", places.state)
    .option("--socket <path>", "the API's unix socket", places.socket)
    .option("--token-file <file>", "where the first admin token is written", places.token)
    .option(
      "--accept-loss",
      "also where store or journal is broken, cut or missing: begin anew, and say so in the journal",
    )
    .option("--may-apply", "let admins apply plans over the API and the page; else both only show them")
    .action((options: ControllerVerbOptions) =>
      run(async (terminal) => (await import("./controller.ts")).controller(options, terminal)),
    );
  controller
    .command("backup <folder>")
    .description("copy what is in --state into a new folder, also while the controller runs; the copy holds secrets")
    // `--state` is the verb's own, and stands before or behind.
    .action((folder: string, _: object, command: Command) =>
      run(async (terminal) =>
        (await import("./controller-backup.ts")).controllerBackup(
          folder,
          command.optsWithGlobals<{ state: string }>(),
          terminal,
        ),
      ),
    );
}
