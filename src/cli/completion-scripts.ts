/**
 * What shells complete: commands, their flags, and the values of flags that have but a few. Generated of the commands' own classes, so that no
 * list of names is kept a second time. Names of units, machines and revisions are asked of `fleet __complete`, which answers at once or not at all.
 */
import type { ShownArgument, ShownCommand, ShownFlag } from "./shown-commands.ts";

/** For bash 4 and newer, with or without the package bash-completion. */
export function bashCompletion(commands: readonly ShownCommand[]): string {
  const cases = commands.map(({ words, flags }) => `    "${words.join(" ")}") flags="${flagWords(flags)}" ;;`);
  const next = nextWords(commands).map(
    ([before, words]) => `    "${before}") words="${words.map(([word]) => word).join(" ")}" ;;`,
  );
  const values = [...valuesOf(commands)].map(
    ([flag, all]) => `    --${flag}) COMPREPLY=($(compgen -W "${all.join(" ")}" -- "$current")); return ;;`,
  );
  const options = [...optionsOf(commands)].map((flag) => `--${flag}`).join("|");
  const named = [...namedFlagsOf(commands)].map(
    ([flag, kinds]) => `    --${flag}) _fleet_names ${kinds.join(" ")}; return ;;`,
  );
  const args = commands.flatMap(({ words, args: own }) =>
    namesOfArguments(own).length === 0
      ? []
      : [`    "${words.join(" ")}") _fleet_names ${namesOfArguments(own).join(" ")} ;;`],
  );
  return `# Completes fleet's commands and flags in bash.
_fleet() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command= flags= words= index word
  case $previous in
${values.join("\n")}
${named.join("\n")}
    ${options}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case " $(_fleet_words "$command") " in
      *" $word "*) command="\${command:+$command }$word" ;;
      *) break ;;
    esac
  done
  if [[ $current == -* ]]; then
    flags=$(_fleet_flags "$command")
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
    return
  fi
  words=$(_fleet_words "$command")
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ -n $words ]] || case $command in
${args.join("\n")}
  esac
  [[ \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$current"))
}

# Names with an @ are one word to fleet and three to readline, which replaces the last of them alone.
_fleet_names() {
  local typed=\${COMP_WORDS[COMP_CWORD]} before
  if [[ -n \${COMP_LINE-} ]]; then
    typed=\${COMP_LINE:0:COMP_POINT}
    typed=\${typed##* }
  fi
  before=\${typed%"\${typed##*[@:=]}"}
  [[ \${COMP_WORDBREAKS-} == *@* && -n \${COMP_LINE-} ]] || before=
  COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" __complete "$@" 2>/dev/null)" -- "$typed"))
  COMPREPLY=("\${COMPREPLY[@]#"$before"}")
}

_fleet_words() {
  local words=
  case $1 in
${next.join("\n")}
  esac
  echo "$words"
}

_fleet_flags() {
  local flags=
  case $1 in
${cases.join("\n")}
    "") flags="--help --version" ;;
  esac
  echo "$flags"
}

complete -o filenames -F _fleet fleet
`;
}

export function zshCompletion(commands: readonly ShownCommand[]): string {
  const next = nextWords(commands).map(
    ([before, words]) =>
      `    ${zshQuoted(before)}) choices=(${words.map(([word, summary]) => zshQuoted(`${word}:${summary}`)).join(" ")}) ;;`,
  );
  const flags = commands.map(({ words, flags: own, args }) => {
    const kinds = namesOfArguments(args);
    const rest = kinds.length === 0 ? "" : ` rest=${zshQuoted(`*:name:{_fleet_names ${kinds.join(" ")}}`)}`;
    return `    ${zshQuoted(words.join(" "))}) flags=(${own.flatMap(zshFlag).join(" ")})${rest} ;;`;
  });
  return `#compdef fleet
# Completes fleet's commands and flags in zsh.
_fleet_choices() {
  choices=()
  case $1 in
${next.join("\n")}
  esac
}

_fleet_names() {
  compadd -- \${(f)"$(fleet __complete "$@" 2>/dev/null)"}
}

_fleet() {
  local command= word rest='*:file:_files'
  local -a flags choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    _fleet_choices "$command"
    if (( \${choices[(I)$word:*]} )); then command="\${command:+$command }$word"; else break; fi
  done
  if [[ $PREFIX != -* ]]; then
    _fleet_choices "$command"
    if (( \${#choices} )); then _describe 'command' choices && return; fi
  fi
  case $command in
${flags.join("\n")}
    *) flags=('--help[Show what there is]' '--version[Show the version]') ;;
  esac
  _arguments -S "\${flags[@]}" "$rest"
}

_fleet "$@"
`;
}

export function fishCompletion(commands: readonly ShownCommand[]): string {
  const lines = nextWords(commands).flatMap(([before, words]) =>
    words.map(
      ([word, summary]) =>
        `complete -c fleet -n ${fishQuoted(`__fleet_at ${fishQuoted(before)}`)} -a ${fishQuoted(word)} -d ${fishQuoted(summary)}`,
    ),
  );
  const flags = commands.flatMap(({ words, flags: own }) =>
    own.map((flag) => {
      const parts = [
        `complete -c fleet -n ${fishQuoted(`__fleet_in ${fishQuoted(words.join(" "))}`)} -l ${flag.name}`,
        flag.char === null ? "" : ` -s ${flag.char}`,
        flag.takesValue ? " -r" : "",
        flag.values.length > 0 ? ` -f -a ${fishQuoted(flag.values.join(" "))}` : "",
        flag.names.length > 0 ? ` -f -a ${fishQuoted(fishNames(flag.names))}` : "",
        ` -d ${fishQuoted(oneLine(flag.description))}`,
      ];
      return parts.join("");
    }),
  );
  const names = commands.flatMap(({ words, args }) =>
    namesOfArguments(args).length === 0
      ? []
      : [
          `complete -c fleet -f -n ${fishQuoted(`__fleet_in ${fishQuoted(words.join(" "))}`)} -a ${fishQuoted(fishNames(namesOfArguments(args)))}`,
        ],
  );
  return `# Completes fleet's commands and flags in fish.
# The words before the one being typed, without flags, are exactly these.
function __fleet_at
    set -l typed (commandline -opc | string match -v -- '-*')
    test "$typed[2..-1]" = "$argv[1]"
end

# They begin with these.
function __fleet_in
    set -l typed (commandline -opc | string match -v -- '-*')
    string match -q -- "$argv[1] *" "$typed[2..-1] "
end

${[...lines, ...names, ...flags].join("\n")}
`;
}

/** For each beginning of a command, the words that may come next, with what each is for. */
function nextWords(commands: readonly ShownCommand[]): [before: string, words: [word: string, summary: string][]][] {
  const next = new Map<string, Map<string, string>>();
  for (const { words, summary } of commands) {
    for (const [index, word] of words.entries()) {
      const before = words.slice(0, index).join(" ");
      const known = next.get(before) ?? next.set(before, new Map()).get(before)!;
      const isWhole = index === words.length - 1;
      if (isWhole || !known.has(word)) known.set(word, isWhole ? oneLine(summary) : `${word} …`);
    }
  }
  return [...next].map(([before, words]) => [before, [...words]]);
}

function flagWords(flags: readonly ShownFlag[]): string {
  return flags.flatMap(({ name, char }) => (char === null ? [`--${name}`] : [`--${name}`, `-${char}`])).join(" ");
}

/** Flags that take a value, whatever command they are of. */
function optionsOf(commands: readonly ShownCommand[]): Set<string> {
  return new Set(commands.flatMap(({ flags }) => flags.filter(({ takesValue }) => takesValue).map(({ name }) => name)));
}

function valuesOf(commands: readonly ShownCommand[]): Map<string, readonly string[]> {
  return new Map(
    commands.flatMap(({ flags }) =>
      flags.filter(({ values }) => values.length > 0).map(({ name, values }) => [name, values] as const),
    ),
  );
}

function zshFlag(flag: ShownFlag): string[] {
  const explained = `[${oneLine(flag.description).replaceAll(/[[\]]/g, "\\$&")}]`;
  const value =
    flag.values.length > 0
      ? `:value:(${flag.values.join(" ")})`
      : flag.names.length > 0
        ? `:name:{_fleet_names ${flag.names.join(" ")}}`
        : ":value:_files";
  const rest = `${explained}${flag.takesValue ? value : ""}`;
  const names = [`--${flag.name}`, ...(flag.char === null ? [] : [`-${flag.char}`])];
  return names.map((name) => zshQuoted(`${name}${rest}`));
}

function fishNames(kinds: readonly string[]): string {
  return `(fleet __complete ${kinds.join(" ")} 2>/dev/null)`;
}

/** What any of them may be a name of: arguments that may follow are those of the first. */
function namesOfArguments(args: readonly ShownArgument[]): readonly string[] {
  return [...new Set(args.flatMap(({ names }) => names))];
}

function namedFlagsOf(commands: readonly ShownCommand[]): Map<string, readonly string[]> {
  return new Map(
    commands.flatMap(({ flags }) =>
      flags.filter(({ names }) => names.length > 0).map(({ name, names }) => [name, names] as const),
    ),
  );
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
