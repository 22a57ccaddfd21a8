/**
 * Writes src/domain/unit/systemd-directive-table.ts from what systemds print with `systemd --dump-configuration-items`, a plain process
 * that needs no booted systemd. Arguments: one saved output or several, which are united: each release only adds names, or keeps
 * reading the old ones. Without arguments it asks the systemd that is installed, which may be older than the committed table.
 */
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const target = join(import.meta.dirname, "../src/domain/unit/systemd-directive-table.ts");
const LINE_WIDTH = 118;

/** Section → key → the kind of its value, in the order of the dump. */
type Directives = Map<string, Map<string, string>>;

export function readDumps(dumps: readonly string[]): Directives {
  const directives: Directives = new Map();
  for (const dump of dumps) {
    let keys = new Map<string, string>();
    for (const line of dump.split("\n")) {
      const header = /^\[(\w+)\]$/.exec(line)?.[1];
      if (header !== undefined) {
        keys = directives.get(header) ?? new Map<string, string>();
        directives.set(header, keys);
        continue;
      }
      const [, key, kind] = /^(\w+)=(.*)$/.exec(line) ?? [];
      if (key === undefined || kind === undefined) continue;
      keys.set(key, (keys.get(key) ?? kind) === kind ? kind : "differs");
    }
  }
  return directives;
}

/** The settings of systemd.exec(5), systemd.kill(5) and systemd.resource-control(5) stand once, not in every section that takes them. */
export function printTable(directives: Directives): string {
  const keysOf = (section: string) => [...(directives.get(section)?.keys() ?? [])];
  const inAll = (...sections: readonly string[]) =>
    keysOf(sections[0]!).filter((key) => sections.every((section) => directives.get(section)?.has(key) === true));
  const groups = new Map([["resources", inAll("Slice", "Scope", "Service", "Socket", "Mount", "Swap")]]);
  groups.set(
    "processes",
    inAll("Service", "Socket", "Mount", "Swap").filter((key) => !groups.get("resources")!.includes(key)),
  );
  const sections = [...directives.keys()].map((section) => {
    const keys = keysOf(section);
    const taken = [...groups].filter(([, group]) => group.every((key) => keys.includes(key)));
    const own = keys.filter((key) => !taken.some(([, group]) => group.includes(key)));
    const values = [...taken.map(([name]) => name), words(own)].map((value) => `    ${value},\n`);
    return `  ${section}: [\n${values.join("")}  ],\n`;
  });
  const booleans = new Set<string>();
  const others = new Set<string>();
  for (const keys of directives.values()) {
    for (const [key, kind] of keys) (kind === "BOOLEAN" ? booleans : others).add(key);
  }
  return [
    "// Made by scripts/make-systemd-directives.ts from `systemd --dump-configuration-items`; not edited by hand.\n\n",
    ...[...groups].map(([name, keys]) => `const ${name} = ${words(keys)};\n\n`),
    "/** Section → its directives, separated by blanks and newlines. */\n",
    `export const DIRECTIVES: Readonly<Record<string, readonly string[]>> = {\n${sections.join("")}};\n\n`,
    "/** The directives that take yes or no wherever they stand. */\n",
    `export const BOOLEANS = ${words([...booleans].filter((key) => !others.has(key)))};\n`,
  ].join("");
}

/** Sorted, filled lines: a new release is a small difference. */
function words(keys: readonly string[]): string {
  const lines = [""];
  for (const key of [...new Set(keys)].sort()) {
    const longer = `${lines.at(-1)} ${key}`;
    if (longer.length <= LINE_WIDTH) lines[lines.length - 1] = longer;
    else lines.push(` ${key}`);
  }
  return `\`\n${lines.join("\n")}\n\``;
}

if (import.meta.main) {
  const saved = process.argv.slice(2);
  const dumps =
    saved.length === 0
      ? [execFileSync("/lib/systemd/systemd", ["--dump-configuration-items"], { encoding: "utf8" })]
      : await Promise.all(saved.map((path) => readFile(path, "utf8")));
  await writeFile(target, printTable(readDumps(dumps)));
}
