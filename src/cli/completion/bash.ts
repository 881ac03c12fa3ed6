import type { Kind, Verb } from "./verb-tree.ts";

/** A script for bash 4.4 or later; it needs nothing else, and starts no program when a key is pressed. */
export function bashCompletion(tree: readonly Verb[]): string {
  return `# bash completion for sixgate, written by \`sixgate completion bash\`.

# REPLY: the verb that word $2 leads to behind verb $1. Fails where it is none.
_sixgate_verb() {
  case "$1 $2" in
${tree.flatMap(verbCases).join("\n")}
    *) return 1 ;;
  esac
}

# REPLY: what option $2 of verb $1 takes: @file, @folder, @none, words; empty where it takes nothing.
_sixgate_value() {
  REPLY=
  case "$1 $2" in
${tree.flatMap(valueCases).join("\n")}
  esac
}

# verbs, options, argument: what may follow verb $1.
_sixgate_offer() {
  case $1 in
${tree.map(offerCase).join("\n")}
  esac
}

_sixgate_give() {
  case $1 in
    @file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
    @folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
    @none) COMPREPLY=() ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2") ;;
  esac
}

_sixgate() {
  local cur=\${COMP_WORDS[COMP_CWORD]} at= value= verbs= options= argument= REPLY word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $value ]]; then value=; continue; fi
    case $word in
      -*) _sixgate_value "$at" "$word"; value=$REPLY ;;
      *) if _sixgate_verb "$at" "$word"; then at=$REPLY; fi ;;
    esac
  done
  COMPREPLY=()
  if [[ -n $value ]]; then _sixgate_give "$value" "$cur"; return; fi
  _sixgate_offer "$at"
  if [[ $cur == -* ]]; then _sixgate_give "$options" "$cur"
  elif [[ -n $verbs ]]; then _sixgate_give "$verbs" "$cur"
  else _sixgate_give "$argument" "$cur"; fi
}

complete -F _sixgate sixgate
`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function given(kind: Kind): string {
  return quoted(typeof kind === "string" ? `@${kind}` : kind.join(" "));
}

function verbCases({ path, verbs }: Verb): readonly string[] {
  const at = path.join(" ");
  return verbs.map(({ name }) => `    ${quoted(`${at} ${name}`)}) REPLY=${quoted([...path, name].join(" "))} ;;`);
}

function valueCases({ path, options }: Verb): readonly string[] {
  const at = path.join(" ");
  return options.flatMap(({ names, value }) => {
    const patterns = names.map((name) => quoted(`${at} ${name}`)).join(" | ");
    return value === undefined ? [] : [`    ${patterns}) REPLY=${given(value)} ;;`];
  });
}

function offerCase({ path, verbs, options, argument }: Verb): string {
  const words = verbs.map(({ name }) => name).join(" ");
  const flags = options.flatMap(({ names }) => names).join(" ");
  return `    ${quoted(path.join(" "))}) verbs=${quoted(words)} options=${quoted(flags)} argument=${given(argument)} ;;`;
}
