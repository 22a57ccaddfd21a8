/** Options of fleet.conf whose name is not the flag's; old fleet's spelling stays accepted. */
export const CONF_ALIASES: Readonly<Record<string, string>> = { etcd_servers: "registry" };

/** One assignment of a fleet.conf. */
export interface ConfLine {
  /** As it is written. */
  readonly key: string;
  readonly value: string;
}

/** Null for a comment, an empty line and what is no assignment. */
export function parseConfLine(line: string): ConfLine | null {
  const match = /^\s*([a-z_]+)\s*=\s*(?:"([^"]*)"|([^#]*?))\s*(?:#.*)?$/.exec(line);
  return match === null ? null : { key: match[1]!, value: match[2] ?? match[3] ?? "" };
}

/** What a file says, by option as it is written; the first line of each counts. */
export function confOptions(text: string): ReadonlyMap<string, string> {
  const lines = linesOf(text).map(parseConfLine).reverse();
  return new Map(lines.flatMap((line) => (line === null ? [] : [[line.key, line.value] as const])));
}

/** Behind each line that `fleet join` wrote, and before each that it took out of the way. */
const MARK = "# by fleet join";
const WAS = "# before fleet join: ";

/** What cannot be written between two quotes: the reader knows no way to write them. */
export function isConfValue(value: string): boolean {
  return !/["\n\r]/.test(value);
}

/**
 * Sets options in a fleet.conf and leaves every other line as it is, comments too. A line of somebody else that says the same stays; one that
 * says otherwise, by an older name too, becomes a comment, from which `unsetConf` brings it back. What is written carries a mark; what was set
 * before and is not set now goes. Values are legal by `isConfValue`. The first line of an option counts, as it does for the reader.
 */
export function setConf(text: string, values: Readonly<Record<string, string>>): string {
  const wanted = new Map(Object.entries(values));
  const lines: string[] = [];
  for (const line of linesOf(unsetConf(text) ?? "")) {
    const read = parseConfLine(line);
    const option = read === null ? null : (CONF_ALIASES[read.key] ?? read.key);
    if (option === null || !Object.hasOwn(values, option)) {
      lines.push(line);
      continue;
    }
    const value = wanted.get(option);
    if (value !== undefined && read!.key === option && read!.value === value) lines.push(line);
    else {
      lines.push(`${WAS}${line}`);
      if (value !== undefined) lines.push(written(option, value));
    }
    wanted.delete(option);
  }
  for (const [option, value] of wanted) lines.push(written(option, value));
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** Takes back what `setConf` did; null where nothing is left, and the file need not be there. */
export function unsetConf(text: string): string | null {
  const lines = linesOf(text)
    .filter((line) => !line.endsWith(MARK))
    .map((line) => (line.startsWith(WAS) ? line.slice(WAS.length) : line));
  return lines.length === 0 ? null : `${lines.join("\n")}\n`;
}

function written(option: string, value: string): string {
  return `${option}="${value}"  ${MARK}`;
}

/** Without the end of the last one. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
