/** Writes the generated part of docs/commands.md: every command with its arguments and flags, as its own class declares them. */
import { globSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const page = join(root, "docs/commands.md");
const commands = join(root, "src/cli/commands");
/** What stands above it is written by hand. */
const MARK = "<!-- from here on: tools/node/run scripts/make-command-reference.ts -->\n";

/** What of oclif's command classes is shown. */
interface CommandClass {
  readonly summary?: string;
  readonly hidden?: boolean;
  readonly strict?: boolean;
  readonly examples?: readonly string[];
  readonly args?: Readonly<Record<string, { readonly required?: boolean; readonly description?: string }>>;
  readonly flags?: Readonly<Record<string, FlagShape>>;
}

interface FlagShape {
  readonly type: "boolean" | "option";
  readonly char?: string;
  readonly description?: string;
  readonly env?: string;
  readonly default?: unknown;
  readonly hidden?: boolean;
}

/** The page with its generated part made anew. */
export async function commandReference(text: string): Promise<string> {
  const at = text.indexOf(MARK);
  const byHand = at < 0 ? `${text.trimEnd()}\n\n` : text.slice(0, at);
  const names = globSync("**/*.ts", { cwd: commands })
    .filter((path) => !path.endsWith(".test.ts"))
    .sort();
  const sections: string[] = [];
  for (const path of names) {
    const { default: command } = (await import(join(commands, path))) as { default: CommandClass };
    if (command.hidden !== true)
      sections.push(section(path.replace(/(\/index)?\.ts$/, "").replaceAll("/", " "), command));
  }
  return `${byHand}${MARK}\n${sections.join("\n")}`;
}

function section(name: string, command: CommandClass): string {
  const args = Object.entries(command.args ?? {});
  const words = args.map(([arg, { required }]) => (required === true ? arg.toUpperCase() : `[${arg.toUpperCase()}]`));
  const usage = ["fleet", name, ...words, ...(command.strict === false ? ["..."] : [])].join(" ");
  const flags = Object.entries(command.flags ?? {}).filter(([, flag]) => flag.hidden !== true);
  const rows = [
    ...args.map(([arg, { description }]) => `| \`${arg.toUpperCase()}\` | ${cell(description)} | |`),
    ...flags.map(
      ([flag, shape]) => `| ${flagText(flag, shape)} | ${cell(shape.description)} | ${cell(settings(shape))} |`,
    ),
  ];
  const table = rows.length === 0 ? "" : `\n| | | set by |\n|---|---|---|\n${rows.join("\n")}\n`;
  const examples = (command.examples ?? []).map((example) => `${example}\n`).join("");
  const shown = examples === "" ? "" : `\n\`\`\`sh\n${examples}\`\`\`\n`;
  return `### ${usage}\n\n${command.summary ?? ""}.\n${shown}${table}`;
}

function flagText(name: string, flag: FlagShape): string {
  const short = flag.char === undefined ? "" : `\`-${flag.char}\`, `;
  return `${short}\`--${name}${flag.type === "option" ? " …" : ""}\``;
}

function settings({ env, default: value }: FlagShape): string {
  const shown = typeof value === "string" || typeof value === "number" || Array.isArray(value) ? String(value) : "";
  return [env, shown === "" ? "" : `default \`${shown}\``]
    .filter((text) => text !== undefined && text !== "")
    .join("; ");
}

function cell(text = ""): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

if (import.meta.main) {
  await writeFile(page, await commandReference(await readFile(page, "utf8")));
  process.stdout.write(`wrote ${relative(root, page)}\n`);
}
