import { type Command, Option } from "commander";
import { withDoor } from "./door-options.ts";
import type { ExposureOptions } from "./exposure.ts";
import { prefixOption } from "./prefix-option.ts";
import type { ProbeOptions } from "./probe.ts";
import type { Runner } from "./runner.ts";
import type { TestOptions } from "./test.ts";
import type { VerifyOptions } from "./verify.ts";

const fileOption = (): Option =>
  new Option("-f, --file <fleet.yaml>", "the fleet file; else the nearest fleet.yaml upwards, or the lab's");

/** Verbs that prove: from the rules that are loaded, and with packets. */
export function addProof(program: Command, run: Runner): void {
  withDoor(
    program
      .command("verify")
      .description(
        "prove that nothing gets through but what is allowed, and that no device drifted; exit 2 when not so",
      )
      .addOption(fileOption())
      .addOption(prefixOption())
      .option("--from <vantage...>", "look from here only: internet, a group, management, a host")
      .option("--planned", "the rules that the fleet file makes, instead of those that are loaded"),
  ).action((options: VerifyOptions) =>
    run(async (terminal) => (await import("./verify.ts")).verify(options, terminal)),
  );
  program
    .command("exposure")
    .description("all that new flows from a vantage can use, by the rules that are loaded")
    .addOption(fileOption())
    .addOption(prefixOption())
    .option("--from <vantage>", "internet, a group, management, or a host", "internet")
    .option("--planned", "the rules that the fleet file makes, instead of those that are loaded")
    .option("--lab [name]", "the gateway of a running lab")
    .option("--most <number>", "kinds of addresses to print", "50")
    .action((options: ExposureOptions) =>
      run(async (terminal) => (await import("./exposure.ts")).exposure(options, terminal)),
    );
  withDoor(
    program
      .command("test")
      .description(
        "the fleet's tests, asked of the rules that it makes; --live asks with packets; exit 3 when one fails",
      )
      .addOption(fileOption())
      .addOption(prefixOption())
      .option("--live", "with packets: in a lab from every vantage, else from this machine as the Internet")
      .option("--report", "with --live: tell the controller what was seen, as an operator; a lab's is always told"),
  ).action((options: TestOptions) => run(async (terminal) => (await import("./test.ts")).test(options, terminal)));
  withDoor(
    program
      .command("probe <target>")
      .description(
        "ask an address of the fleet with packets: TCP, UDP, echo, and the next port. vm1/web:443, [address]:443",
      )
      .addOption(fileOption())
      .addOption(prefixOption())
      .option("--from <vantage>", "internet, a group, a host, or host/container", "internet")
      .option("--wait <milliseconds>", "how long an answer may take", "1000")
      .option("--report", "tell the controller what was seen, as an operator; a lab's is always told"),
  ).action((target: string, options: ProbeOptions) =>
    run(async (terminal) => (await import("./probe.ts")).probe(target, options, terminal)),
  );
}
