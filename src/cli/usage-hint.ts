import { closestName } from "../domain/unit/closest-name.ts";

/** What of oclif's manifest is looked at. */
export interface CommandList {
  readonly commands: Readonly<
    Record<
      string,
      { readonly hidden?: boolean; readonly flags?: Readonly<Record<string, { readonly hidden?: boolean }>> }
    >
  >;
}

/** What was most likely meant, by what oclif says of a command or a flag that is none; null where nothing is near. */
export function usageHint(message: string, argv: readonly string[], { commands }: CommandList): string | null {
  const ids = Object.keys(commands)
    .filter((id) => commands[id]!.hidden !== true)
    .map((id) => id.replaceAll(":", " "));
  const command = /^command (\S+) not found/m.exec(message)?.[1]?.replaceAll(":", " ");
  if (command !== undefined) {
    const typed = [command, argv.slice(0, command.split(" ").length + 1).join(" ")];
    const meant = nearest(typed, [...new Set([...ids, ...ids.map((id) => id.split(" ")[0]!)])]);
    return meant === null ? null : `did you mean fleet ${meant}?`;
  }
  const flag = /^Nonexistent flag: --([\w-]+)/m.exec(message)?.[1];
  if (flag === undefined) return null;
  const words = argv.filter((word) => !word.startsWith("-"));
  const id = ids.filter((one) => `${words.join(" ")} `.startsWith(`${one} `)).sort((a, b) => b.length - a.length)[0];
  const flags = Object.entries(commands[id?.replaceAll(" ", ":") ?? ""]?.flags ?? {});
  const meant = nearest(
    [flag],
    flags.filter(([, { hidden }]) => hidden !== true).map(([name]) => name),
  );
  return meant === null ? null : `did you mean --${meant}?`;
}

/** The only one that begins so, as fleetctl took it, or the nearest by its letters. */
function nearest(typed: readonly string[], known: readonly string[]): string | null {
  for (const word of typed) {
    const beginning = known.filter((name) => name.startsWith(word));
    const meant = beginning.length === 1 ? beginning[0]! : closestName(word, known);
    if (meant !== null) return meant;
  }
  return null;
}
