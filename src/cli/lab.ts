import { type Command, Option } from "commander";
import type { UpOptions } from "./lab-up.ts";
import { prefixOption } from "./prefix-option.ts";
import type { Runner } from "./runner.ts";

type Named = { readonly name: string };

const nameOption = (): Option => new Option("-n, --name <name>", "which lab").default("lab");

/** `sixgate lab …`: the article's network on this machine, from real parts in namespaces of its own. */
export function addLab(program: Command, run: Runner, passed: readonly string[]): void {
  const lab = program
    .command("lab")
    .description("the whole network alive on this machine, in namespaces: up, down, status, test, sh, docker, graph");
  lab
    .command("up")
    .description("bring it up, prove it with packets, and stay until Ctrl-C (or leave it running with --detach)")
    .addOption(new Option("-f, --file <fleet.yaml>", "the fleet file; examples/lab.yaml by default"))
    .addOption(prefixOption())
    .addOption(nameOption())
    .option("-d, --detach", "leave it running; `sixgate lab down` ends it")
    .option("--stand-in", "namespaces instead of Docker containers")
    .option("--rootless", "without root, in a user namespace; implies --stand-in")
    .option(
      "--engine <folder|version>",
      "a Docker engine of its own: a root folder with dockerd in it, or 26.1 or 28.5 to build one",
    )
    .action((options: UpOptions) => run(async (terminal) => (await import("./lab-up.ts")).up(options, terminal)));
  lab
    .command("down")
    .description("end it; nothing is left")
    .addOption(nameOption())
    .action((options: Named) => run(async (terminal) => (await import("./lab-verbs.ts")).down(options.name, terminal)));
  lab
    .command("status")
    .description("what runs")
    .addOption(nameOption())
    .action((options: Named) =>
      run(async (terminal) => (await import("./lab-verbs.ts")).status(options.name, terminal)),
    );
  lab
    .command("test")
    .description("ask every row of the fleet's truth table with a packet, and that nothing drifted")
    .addOption(nameOption())
    .option("-v, --verbose", "every row, not the failed ones only")
    .action((options: Named & { verbose?: boolean }) =>
      run(async (terminal) => (await import("./lab-verbs.ts")).test(options, terminal)),
    );
  addWaysIn(lab, run, passed);
  lab
    .command("graph")
    .description("the topology as a picture in text")
    .addOption(nameOption())
    .addOption(new Option("--format <format>", "how to draw it").choices(["text", "mermaid", "json"]).default("text"))
    .addOption(new Option("-f, --file <fleet.yaml>", "of this fleet instead of the running lab"))
    .addOption(prefixOption())
    .action((options: Named & { format: "text" | "mermaid" | "json"; file?: string; prefix?: string }) =>
      run(async (terminal) => (await import("./lab-graph.ts")).graph(options, terminal)),
    );
}

function addWaysIn(lab: Command, run: Runner, passed: readonly string[]): void {
  lab
    .command("sh <node>")
    .description("a shell, or one command, in a node or in a container (vm1/web): sh NODE [COMMAND …]")
    .addOption(nameOption())
    .action((node: string, options: Named) =>
      run(async () => (await import("./lab-enter.ts")).sh(options.name, node, passed)),
    );
  lab
    .command("docker <host>")
    .description("docker, talking to the engine of a host: docker HOST run -d …")
    .addOption(nameOption())
    .action((host: string, options: Named) =>
      run(async () => (await import("./lab-enter.ts")).docker(options.name, host, passed)),
    );
}

/**
 * `lab sh NODE …` and `lab docker HOST …` hand on what follows as it stands, options too. Cuts that off before the
 * command line is parsed.
 */
export function cutPassed(argv: readonly string[]): {
  readonly own: readonly string[];
  readonly passed: readonly string[];
} {
  const verb = argv.findIndex((word, at) => (word === "sh" || word === "docker") && argv[at - 1] === "lab");
  if (verb === -1) return { own: argv, passed: [] };
  let at = verb + 1;
  while (argv[at]?.startsWith("-") === true) at += argv[at] === "-n" || argv[at] === "--name" ? 2 : 1;
  const rest = argv.slice(at + 1);
  return { own: argv.slice(0, at + 1), passed: rest[0] === "--" ? rest.slice(1) : rest };
}
