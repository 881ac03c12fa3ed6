import { Argument, Command, Option } from "commander";
import type { ShellName } from "./completion.ts";
import { addControllerVerbs } from "./controller-verbs.ts";
import { withDoor } from "./door-options.ts";
import { addGatewayVerbs } from "./gateway-verbs.ts";
import type { GraphOptions } from "./graph.ts";
import { addHostVerbs } from "./host-verbs.ts";
import { addImportVerbs } from "./import-verbs.ts";
import { addLab } from "./lab.ts";
import { prefixOption } from "./prefix-option.ts";
import { addProof } from "./proof-verbs.ts";
import type { Runner } from "./runner.ts";
import { version } from "./version.ts";

/**
 * The command line as commander has it. Nothing is run, read or printed by making it, so that the reference can be
 * written from it. A call that can't be understood throws a CommanderError; who calls says so. `passed` is what
 * `lab sh` and `lab docker` hand on.
 */
export function makeProgram(run: Runner, passed: readonly string[] = []): Command {
  const program = new Command();
  program
    .name("sixgate")
    .description(
      "A public, routed IPv6 address for every container. Everything closed; openings on a gateway outside the host.",
    )
    .version(version, "-V, --version")
    .option("--json", "one JSON document on standard output; talk goes to standard error")
    .option("--no-color", "no colours (also NO_COLOR)")
    .option("--no-input", "never ask; a question is an error then")
    .option("-C, --directory <folder>", "work in that folder")
    // Before the verbs, which take both over.
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .addHelpText(
      "after",
      "\nExit codes: 0 fine, 1 error, 2 something differs, 3 a test failed, 4 refused by the guard, 64 usage",
    );
  addFileVerbs(program, run);
  addGraph(program, run);
  addDeviceVerbs(program, run);
  addImportVerbs(program, run);
  addHostVerbs(program, run);
  addGatewayVerbs(program, run);
  addControllerVerbs(program, run);
  addProof(program, run);
  addLab(program, run, passed);
  addCompletion(program, run);
  return program;
}

function addGraph(program: Command, run: Runner): void {
  withDoor(
    program
      .command("graph")
      .description("draw the fleet from sources to containers, as the page's map does: of the fleet file, or --live")
      .addOption(fileOption())
      .addOption(prefixOption())
      .addOption(
        new Option("--format <format>", "what to write")
          .choices(["svg", "dot", "json"] as const)
          .default("svg" as const),
      )
      .option("--host <host>", "that host only, with all its containers")
      .option("--live", "of the running controller: what is open, proved and denied now"),
  ).action((options: GraphOptions) => run(async (terminal) => (await import("./graph.ts")).graph(options, terminal)));
}

function addCompletion(program: Command, run: Runner): void {
  program
    .command("completion")
    .description("print the script by which a shell completes verbs, options and file names")
    .addArgument(new Argument("<shell>", "which one").choices(["bash", "zsh", "fish"]))
    .action((shell: ShellName) =>
      run(async (terminal) => (await import("./completion.ts")).completion(shell, program, terminal)),
    );
}

type WithFile = { readonly file?: string; readonly prefix?: string };
type PlanOptions = WithFile & {
  out?: string;
  only?: string[];
  lab?: string | true;
  verbose?: boolean;
  detailedExitcode?: boolean;
  layer?: string;
};
type ApplyOptions = WithFile & {
  only?: string[];
  lab?: string | true;
  yes?: boolean;
  confirmWithin: string;
  acceptLockoutRisk?: boolean;
  acceptRemovals?: boolean;
};

const fileOption = (): Option =>
  new Option("-f, --file <fleet.yaml>", "the fleet file; else the nearest fleet.yaml upwards");

/** Verbs that read the fleet file and touch no device. Verbs are loaded when they are called: `--help` must not wait for the lab. */
function addFileVerbs(program: Command, run: Runner): void {
  program
    .command("init [file]")
    .description("write a fleet file to start from, with its JSON Schema for editors")
    .option(
      "--from <template>",
      "what to start from: home (a hypervisor, a gateway, a host) or vps (a gateway and a host, on-link prefix)",
    )
    .option("--prefix <prefix>", "the prefix that your provider gave you")
    .action((file: string | undefined, options: { from?: string; prefix?: string }) =>
      run(async (terminal, globals) =>
        (await import("./init.ts")).init(
          { ...(file === undefined ? {} : { file }), ...options, ask: globals.input },
          terminal,
        ),
      ),
    );
  program
    .command("validate")
    .description("check the fleet file: schema, cross-checks, lints; no network")
    .addOption(fileOption())
    .addOption(prefixOption())
    .action((options: WithFile) =>
      run(async (terminal) => (await import("./validate.ts")).validate(options, terminal)),
    );
  program
    .command("explain [field]")
    .description("what a field of the fleet file, or a code such as E110, means")
    .action((field: string | undefined) =>
      run(async (terminal) => (await import("./explain.ts")).explain(field, terminal)),
    );
  program
    .command("addr")
    .description("the address plan: who has which number")
    .addOption(fileOption())
    .addOption(prefixOption())
    .action((options: WithFile) => run(async (terminal) => (await import("./addr.ts")).addr(options, terminal)));
  program
    .command("render [layer]")
    .description(
      "every file of every device, or of one layer (hypervisor, guest, gateway, engine), or of the gateway as another kind (nftables, pfsense, opnsense); sends nothing",
    )
    .addOption(fileOption())
    .addOption(prefixOption())
    .option("-o, --out <folder>", "write below this folder, a folder per device; else print")
    .option("--into <config.xml>", "a whole configuration of the firewall: print it with the gateway laid into it")
    .action((layer: string | undefined, options: WithFile & { out?: string; into?: string }) =>
      run(async (terminal) =>
        (await import("./render.ts")).render({ ...options, ...(layer === undefined ? {} : { layer }) }, terminal),
      ),
    );
}

/** Verbs that read devices, and the one that changes them. */
function addDeviceVerbs(program: Command, run: Runner): void {
  program
    .command("plan")
    .description("what would change on the devices")
    .addOption(fileOption())
    .addOption(prefixOption())
    .option("-o, --out <plan.json>", "keep the plan, for `sixgate apply plan.json`")
    .option("--only <device...>", "these devices only")
    .option("--lab [name]", "the devices are the nodes of a running lab")
    .option("-v, --verbose", "with the full text of what changes")
    .option("--detailed-exitcode", "0 nothing to change, 1 error, 2 changes")
    .action((options: PlanOptions) => run(async (terminal) => (await import("./plan.ts")).plan(options, terminal)));
  program
    .command("diff [layer]")
    .description("what differs on the devices, as text; exit 2 when something does")
    .addOption(fileOption())
    .addOption(prefixOption())
    .option("--only <device...>", "these devices only")
    .option("--lab [name]", "the devices are the nodes of a running lab")
    .action((layer: string | undefined, options: PlanOptions) =>
      run(async (terminal) =>
        (await import("./plan.ts")).plan(
          { ...options, ...(layer === undefined ? {} : { layer }), verbose: true, detailedExitcode: true },
          terminal,
        ),
      ),
    );
  program
    .command("apply [plan]")
    .description("plan, ask, apply, read back, confirm; or the device goes back by itself")
    .addOption(fileOption())
    .addOption(prefixOption())
    .option("--only <device...>", "these devices only")
    .option("--lab [name]", "the devices are the nodes of a running lab")
    .option("-y, --yes", "do not ask")
    .option("--confirm-within <seconds>", "how long a device waits for the confirmation", "60")
    .option("--accept-lockout-risk", "also where our own access could be cut, or a device can't undo by itself")
    .option("--accept-removals", "also where more is removed than the guard lets pass")
    .action((file: string | undefined, options: ApplyOptions) =>
      run(async (terminal, globals) =>
        (await import("./apply.ts")).apply(
          { ...options, ...(file === undefined ? {} : { plan: file }), ask: globals.input },
          terminal,
        ),
      ),
    );
  program
    .command("doctor")
    .description("can this machine do what sixgate needs?")
    .addOption(fileOption())
    .addOption(prefixOption())
    .action((options: WithFile) => run(async (terminal) => (await import("./doctor.ts")).doctor(options, terminal)));
}
