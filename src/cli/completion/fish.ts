import type { Kind, OfferedOption, Verb } from "./verb-tree.ts";

/** A script for fish 3.1 or later, for a folder of `fish_complete_path`. */
export function fishCompletion(tree: readonly Verb[]): string {
  return `# fish completion for sixgate, written by \`sixgate completion fish\`.

# Whether the words before the cursor are of verb $argv[1].
function __sixgate_at
    set -l at ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$at $word"
${tree.flatMap(steps).join("\n")}
        end
    end
    test "$at" = "$argv[1]"
end

complete -c sixgate -f
${tree.flatMap(offers).join("\n")}
`;
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** Cases of the walk over the words: an option with a value skips one word, a verb leads to the next. */
function steps({ path, verbs, options }: Verb): readonly string[] {
  const at = path.join(" ");
  const skips = options.flatMap(({ names, value }) =>
    value === undefined ? [] : names.map((name) => quoted(`${at} ${name}`)),
  );
  return [
    ...(skips.length === 0 ? [] : [`            case ${skips.join(" ")}`, "                set skip 1"]),
    ...verbs.flatMap(({ name }) => [
      `            case ${quoted(`${at} ${name}`)}`,
      `                set at ${quoted([...path, name].join(" "))}`,
    ]),
  ];
}

function offers({ path, verbs, options, argument }: Verb): readonly string[] {
  const when = `complete -c sixgate -n ${quoted(`__sixgate_at ${quoted(path.join(" "))}`)}`;
  return [
    ...verbs.map(({ name, description }) => `${when} -a ${name} -d ${quoted(description)}`),
    ...(verbs.length === 0 ? given(argument).map((words) => `${when} ${words}`) : []),
    ...options.map((option) => `${when} ${optionWords(option)}`),
  ];
}

function optionWords({ names, description, value }: OfferedOption): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const takes = value === undefined ? [] : ["-r", ...given(value)];
  return [...flags, ...takes, "-d", quoted(description)].join(" ");
}

function given(kind: Kind): readonly string[] {
  if (kind === "file") return ["-F"];
  if (kind === "folder") return [`-a ${quoted("(__fish_complete_directories)")}`];
  return kind === "none" ? [] : [`-a ${quoted(kind.join(" "))}`];
}
