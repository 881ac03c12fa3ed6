import { type Command, Option } from "commander";
import type { AuditOptions } from "./audit.ts";
import { type DoorOptions, withDoor } from "./door-options.ts";
import type { OpenOptions } from "./open.ts";
import type { OpeningsOptions } from "./openings.ts";
import type { PageOptions } from "./page.ts";
import type { Runner } from "./runner.ts";
import type { TokenOptions } from "./token.ts";
import type { WatchOptions } from "./watch.ts";

type Because = DoorOptions & { readonly because: string };

/** Verbs that ask a running controller. */
export function addControllerVerbs(program: Command, run: Runner): void {
  addOpeningVerbs(program, run);
  addLookingVerbs(program, run);
  addTrustVerbs(program, run);
}

const because = (): Option => new Option("--because <reason>", "why; stands in the journal").makeOptionMandatory();

function addOpeningVerbs(program: Command, run: Runner): void {
  withDoor(program.command("open <target> <ports...>"))
    .description("open ports of a container (vm1/web) or address for some time; it ends by itself")
    .option("--from <sources>", "any, groups of the fleet file, prefixes or addresses, with commas between", "any")
    .option("--for <length>", "how long, as 30m, 2h or 7d; the policy has a limit", "1h")
    .addOption(because())
    .action((target: string, ports: string[], options: OpenOptions) =>
      run(async (terminal) => (await import("./open.ts")).open(target, ports, options, terminal)),
    );
  withDoor(program.command("close <id>"))
    .description("close what a person opened, and cut its live connections")
    .addOption(because())
    .action((id: string, options: Because) =>
      run(async (terminal) => (await import("./close.ts")).close(id, options, terminal)),
    );
  withDoor(program.command("openings"))
    .description("what is open, and why")
    .option("--refused", "what was asked for and refused, with code and fix")
    .option("--suggestions", "declared ports that nobody asked to open, with the label that would ask")
    .option("--host <host>", "of that host only")
    .option("--container <container>", "of the container of that name or id only")
    .option("--most <number>", "how many entries to show", "1000")
    .action((options: OpeningsOptions) =>
      run(async (terminal) => (await import("./openings.ts")).openings(options, terminal)),
    );
}

function addLookingVerbs(program: Command, run: Runner): void {
  withDoor(program.command("why <target>"))
    .description(
      "why a port is open or closed, link by link: why vm1/web:443, why [2001:db8::1]:443/udp, why vm1/web:ping",
    )
    .option("--from <vantage>", "internet, a group, a prefix, an address, a host or host/container", "internet")
    .option("--rules", "by the rules that are loaded on the gateway alone; no controller is asked")
    .option(
      "-f, --file <fleet.yaml>",
      "with --rules: the fleet file; else the nearest fleet.yaml upwards, or the lab's",
    )
    .action((target: string, options: DoorOptions & { from: string; rules?: boolean; file?: string }) =>
      run(async (terminal) =>
        options.rules === true
          ? (await import("./why-rules.ts")).whyRules(target, options, terminal)
          : (await import("./why.ts")).why(target, options, terminal),
      ),
    );
  withDoor(program.command("page"))
    .description("a link to the controller's page that signs in once, within five minutes")
    .option("--at <url>", "where your browser reaches the page, as through a tunnel: http://127.0.0.1:6465")
    .action((options: PageOptions) => run(async (terminal) => (await import("./page.ts")).page(options, terminal)));
  withDoor(program.command("status"))
    .description("the controller, its gateway and its agents; exit 2 when the gateway drifted")
    .action((options: DoorOptions) => run(async (terminal) => (await import("./status.ts")).status(options, terminal)));
  withDoor(program.command("watch"))
    .description("what happens, as it happens, until Ctrl-C; with --json a document a line")
    .option("--denied", "packets that the gateway dropped too")
    .option("--host <host>", "of that host, and of none in particular")
    .action((options: WatchOptions) => run(async (terminal) => (await import("./watch.ts")).watch(options, terminal)));
  withDoor(program.command("audit"))
    .description("the journal: who did what; with --json a document a line")
    .option("--since <time>", "from then on: 2h, 7d, or 2026-12-31T18:00:00Z")
    .option("--most <number>", "the last so many entries", "100")
    .option("--verify", "whether every entry fits its hash; exit 3 when one does not")
    .option("--known <head>", "a head that was written down before: verify that it is in the journal too")
    .action((options: AuditOptions) => run(async (terminal) => (await import("./audit.ts")).audit(options, terminal)));
}

function addTrustVerbs(program: Command, run: Runner): void {
  withDoor(program.command("invite <host>"))
    .description("a token for one enrolment of a host's agent, shown this once")
    .option("-o, --out <file>", "write it into a new file that only you can read")
    .action((host: string, options: DoorOptions & { out?: string }) =>
      run(async (terminal) => (await import("./invite.ts")).invite(host, options, terminal)),
    );
  withDoor(program.command("revoke <host>"))
    .description("let a host's agent in no more")
    .addOption(because())
    .action((host: string, options: Because) =>
      run(async (terminal) => (await import("./invite.ts")).revoke(host, options, terminal)),
    );
  const token = program.command("token").description("tokens of the controller's API: create, list, revoke");
  withDoor(token.command("create <name>"))
    .description("make a token, shown this once")
    .addOption(
      new Option("--role <role>", "what it may do").choices(["viewer", "operator", "admin"]).makeOptionMandatory(),
    )
    .option("--for <length>", "how long it holds, up to 366d", "90d")
    .option("-o, --out <file>", "write it into a new file that only you can read")
    .action((name: string, options: TokenOptions) =>
      run(async (terminal) => (await import("./token.ts")).createToken(name, options, terminal)),
    );
  withDoor(token.command("list"))
    .description("tokens with role and end, without their secrets")
    .action((options: DoorOptions) =>
      run(async (terminal) => (await import("./token.ts")).listTokens(options, terminal)),
    );
  withDoor(token.command("revoke <name>"))
    .description("take a token back, and every session begun with it")
    .action((name: string, options: DoorOptions) =>
      run(async (terminal) => (await import("./token.ts")).revokeToken(name, options, terminal)),
    );
}
