import type { Kind, OfferedOption, Verb } from "./verb-tree.ts";

/** A function for zsh's `fpath`, named `_sixgate`; sourced after `compinit` it does as well. */
export function zshCompletion(tree: readonly Verb[]): string {
  return `#compdef sixgate
# zsh completion for sixgate, written by \`sixgate completion zsh\`.

# REPLY: the verb that word $2 leads to behind verb $1. Fails where it is none.
_sixgate_verb() {
  case "$1 $2" in
${tree.flatMap(verbCases).join("\n")}
    (*) return 1 ;;
  esac
}

# REPLY: what option $2 of verb $1 takes; empty where it takes nothing.
_sixgate_value() {
  REPLY=
  case "$1 $2" in
${tree.flatMap(valueCases).join("\n")}
  esac
}

_sixgate_give() {
  case $1 in
    (@file) _files ;;
    (@folder) _files -/ ;;
    (@none) return 1 ;;
    (*) compadd -- \${=1} ;;
  esac
}

_sixgate() {
  local at= value= argument=@none REPLY word i
  local -a verbs options
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    if [[ -n $value ]]; then value=; continue; fi
    case $word in
      (-*) _sixgate_value "$at" "$word"; value=$REPLY ;;
      (*) if _sixgate_verb "$at" "$word"; then at=$REPLY; fi ;;
    esac
  done
  if [[ -n $value ]]; then _sixgate_give "$value"; return; fi
  case $at in
${tree.map(offerCase).join("\n")}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then _describe -o option options
  elif (( $#verbs )); then _describe verb verbs
  else _sixgate_give "$argument"; fi
}

if [[ $funcstack[1] == _sixgate ]]; then _sixgate "$@"; else compdef _sixgate sixgate; fi
`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function given(kind: Kind): string {
  return quoted(typeof kind === "string" ? `@${kind}` : kind.join(" "));
}

function verbCases({ path, verbs }: Verb): readonly string[] {
  const at = path.join(" ");
  return verbs.map(({ name }) => `    (${quoted(`${at} ${name}`)}) REPLY=${quoted([...path, name].join(" "))} ;;`);
}

function valueCases({ path, options }: Verb): readonly string[] {
  const at = path.join(" ");
  return options.flatMap(({ names, value }) => {
    const patterns = names.map((name) => quoted(`${at} ${name}`)).join("|");
    return value === undefined ? [] : [`    (${patterns}) REPLY=${given(value)} ;;`];
  });
}

/** `name:description` as _describe reads it. */
function described(name: string, description: string): string {
  return quoted(`${name}:${description.replaceAll("\\", "\\\\").replaceAll(":", "\\:")}`);
}

function offerCase({ path, verbs, options, argument }: Verb): string {
  const words = verbs.map(({ name, description }) => described(name, description));
  const flags = options.flatMap(({ names, description }: OfferedOption) =>
    names.map((name) => described(name, description)),
  );
  return `    (${quoted(path.join(" "))})
      verbs=(${words.join(" ")})
      options=(${flags.join(" ")})
      argument=${given(argument)} ;;`;
}
