// Manual pages (man(7) macros) of the program and of each verb, from the program's own definition.
import type { Argument, Command, Option } from "commander";
import { makeProgram } from "../../src/cli/program.ts";
import { version } from "../../src/cli/version.ts";
import { places } from "../../src/web/places.ts";

/** Name of each page (`sixgate-apply.1`) and its text. `date`: seconds, shown as the day in UTC. */
export function manPages(date: number): ReadonlyMap<string, string> {
  const program = makeProgram(() => Promise.resolve());
  const day = new Date(date * 1000).toISOString().slice(0, 10);
  const verbs = program.commands;
  return new Map([
    ["sixgate.1", wholePage(program, day)],
    ...verbs.map((verb) => [`sixgate-${verb.name()}.1`, verbPage(program, verb, day)] as const),
  ]);
}

/** Text as roff takes it literally: backslashes and hyphens are escaped, and no line begins with a control character. */
export function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^(?=[.'])/gm, "\\&");
}

function head(title: string, day: string): string {
  return `.TH ${title.toUpperCase().replaceAll("-", "\\-")} 1 "${day}" "sixgate ${version}" "sixgate"`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines];
}

function wholePage(program: Command, day: string): string {
  const verbs = program.commands.flatMap((verb) => [
    ".TP",
    `.BR sixgate\\-${roff(verb.name())} (1)`,
    roff(sentence(verb.description())),
  ]);
  return lines([
    head("sixgate", day),
    ...section("NAME", [`sixgate \\- ${roff("public routed IPv6 addresses for containers, closed by default")}`]),
    ...section("SYNOPSIS", [".B sixgate", ".RI [ options ]", ".I verb", ".RI [ arguments ]"]),
    ...section("DESCRIPTION", [roff(program.description()), ".PP", roff(results)]),
    ...section("OPTIONS", optionLines(program.options)),
    ...section("VERBS", verbs),
    ...section("EXIT STATUS", exits),
    ...section("FILES", fileLines),
    ...section("SEE ALSO", [roff("The manual: /usr/share/doc/sixgate/docs/README.md in Debian's package.")]),
  ]);
}

function verbPage(program: Command, verb: Command, day: string): string {
  const name = `sixgate-${verb.name()}`;
  const below = verb.commands.flatMap((each) => [
    `.SS ${roff(`sixgate ${verb.name()} ${words(each)}`)}`,
    roff(sentence(each.description())),
    ...optionLines(each.options),
  ]);
  return lines([
    head(name, day),
    ...section("NAME", [`${roff(name)} \\- ${roff(verb.description())}`]),
    ...section("SYNOPSIS", [`.B sixgate ${roff(verb.name())}`, roff(`${arguments_(verb)} [options]`.trim())]),
    ...section("DESCRIPTION", [roff(sentence(verb.description()))]),
    ...section("OPTIONS", optionLines(verb.options)),
    ...section("COMMANDS", below),
    ...section("OPTIONS OF EVERY VERB", optionLines(program.options)),
    ...section("EXIT STATUS", exits),
    ...section("SEE ALSO", [".BR sixgate (1)"]),
  ]);
}

const results =
  "Results go to standard output, talk and errors to standard error. With --json standard output holds one JSON document and nothing else. A fleet file is named with -f; else the nearest fleet.yaml upwards is taken. `sixgate explain CODE` says what the code of an error means.";

const exits: readonly string[] = [
  ["0", "fine"],
  ["1", "error"],
  ["2", "something differs"],
  ["3", "a test or a verification failed"],
  ["4", "refused by the guard"],
  ["64", "the call can't be understood"],
].flatMap(([code = "", text = ""]) => [".TP", `.B ${code}`, roff(text)]);

const fileLines: readonly string[] = [
  ["/etc/sixgate/fleet.yaml", "the fleet file of a controller that runs as a service; its ledger beside it"],
  [places.state, "what must outlive the controller"],
  [places.socket, "the controller's API"],
  [`${places.state}/agent`, "key and certificate of a host's agent"],
].flatMap(([path = "", text = ""]) => [".TP", `.I ${roff(path)}`, roff(text)]);

function optionLines(options: readonly Option[]): readonly string[] {
  return options.flatMap((option) => {
    const choices = option.argChoices === undefined ? "" : ` One of ${option.argChoices.join(", ")}.`;
    const hasDefault = option.defaultValue !== undefined && option.defaultValue !== true;
    const standard = hasDefault ? ` Default: ${String(option.defaultValue)}.` : "";
    const variable = option.envVar === undefined ? "" : ` Also ${option.envVar} of the environment.`;
    return [".TP", `.B ${roff(option.flags)}`, roff(`${sentence(option.description)}${choices}${standard}${variable}`)];
  });
}

function arguments_(command: Command): string {
  return command.registeredArguments.map(argumentText).join(" ");
}

function argumentText(each: Argument): string {
  const name = `${each.name()}${each.variadic ? "..." : ""}`;
  return each.required ? `<${name}>` : `[${name}]`;
}

function words(command: Command): string {
  return `${command.name()} ${arguments_(command)}`.trim();
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?…]$/.test(text) ? "" : "."}`;
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
