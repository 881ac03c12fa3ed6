import type { Argument, Command, Option } from "commander";

/** What a shell can offer in the place of a value: names of files, of folders, one of some words, or nothing. */
export type Kind = "file" | "folder" | "none" | readonly string[];

export type OfferedOption = {
  /** `-f` and `--file`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Undefined where it takes no value, or one that may be left out: the next word is no value then. */
  readonly value?: Kind;
};

/** A verb as completion sees it. */
export type Verb = {
  /** Words from the program on, `["lab", "up"]`; the program itself has none. */
  readonly path: readonly string[];
  readonly verbs: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OfferedOption[];
  /** Of its first argument. */
  readonly argument: Kind;
};

/** The program and every verb below it, each once, parents first. Options of the program hold for each. */
export function verbTree(program: Command): readonly Verb[] {
  const general = program.options.map(offered);
  const walk = (command: Command, path: readonly string[]): readonly Verb[] => [
    {
      path,
      verbs: command.commands.map((each) => ({ name: each.name(), description: each.description() })),
      options: [...(path.length === 0 ? [] : command.options.map(offered)), ...general, help],
      argument: argumentKind(command.registeredArguments[0]),
    },
    ...command.commands.flatMap((each) => walk(each, [...path, each.name()])),
  ];
  return walk(program, []);
}

const help: OfferedOption = { names: ["-h", "--help"], description: "what there is" };

function offered(option: Option): OfferedOption {
  const names = [option.short, option.long].filter((each) => each !== undefined);
  const { description } = option;
  if (!option.required) return { names, description };
  const placeholder = /<([^>]*)>/.exec(option.flags)?.[1] ?? "";
  return { names, description, value: option.argChoices ?? kindOf(placeholder) };
}

function argumentKind(argument: Argument | undefined): Kind {
  return argument === undefined ? "none" : (argument.argChoices ?? kindOf(argument.name()));
}

/** By the words that verbs use for what they take: `<folder>`, `<file>`, `<plan.json>`. */
function kindOf(placeholder: string): Kind {
  if (placeholder === "folder") return "folder";
  return /^(?:file|plan|socket|config)$|\.(?:yaml|json|xml)$/.test(placeholder) ? "file" : "none";
}
