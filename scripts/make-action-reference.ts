/** Writes the generated part of docs/action.md: the action's inputs and outputs, as `action.yml` declares them. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";

const root = join(import.meta.dirname, "..");
const page = join(root, "docs/action.md");
/** What stands above it is written by hand. */
const MARK = "<!-- from here on: tools/node/run scripts/make-action-reference.ts -->\n";

/** What of `action.yml` is looked at. */
export interface ActionFile {
  readonly description: string;
  readonly runs: { readonly using: string; readonly main: string };
  readonly inputs: Readonly<
    Record<string, { readonly description: string; readonly required?: boolean; readonly default?: string }>
  >;
  readonly outputs: Readonly<Record<string, { readonly description: string }>>;
}

export function readActionFile(text: string): ActionFile {
  return parse(text) as ActionFile;
}

/** The page with its generated part made anew. */
export function actionReference(text: string, { inputs, outputs }: ActionFile): string {
  const at = text.indexOf(MARK);
  const byHand = at < 0 ? `${text.trimEnd()}\n\n` : text.slice(0, at);
  const given = Object.entries(inputs).map(([name, { description, required, default: fallback = "" }]) => {
    const otherwise = required === true ? "required" : fallback === "" ? "" : `\`${fallback}\``;
    return `| \`${name}\` | ${cell(description)} | ${otherwise} |`;
  });
  const got = Object.entries(outputs).map(([name, { description }]) => `| \`${name}\` | ${cell(description)} |`);
  return [
    `${byHand}${MARK}`,
    `## Inputs\n\nAll are texts; switches are \`true\` or \`false\`.\n\n| | | default |\n|---|---|---|\n${given.join("\n")}\n`,
    `## Outputs\n\n| | |\n|---|---|\n${got.join("\n")}\n`,
  ].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

if (import.meta.main) {
  const action = readActionFile(await readFile(join(root, "action.yml"), "utf8"));
  await writeFile(page, actionReference(await readFile(page, "utf8"), action));
}
