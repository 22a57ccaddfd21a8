import type { ReadConf } from "../conf-command.ts";
import { printable } from "./printable.ts";
import { table } from "./table.ts";

/** Every option, its value and who says so. */
export function confText({ path, options }: ReadConf): string {
  const rows = options.map(({ key, value, from, line, variable }) => {
    const origin = from === "file" ? `${path}:${line}` : from === "environment" ? variable : from;
    return [key, shown(value), origin];
  });
  return table(["option", "value", "from"], rows);
}

export function problemsText({ path, problems }: ReadConf): string {
  return problems
    .map(
      ({ line, severity, saw, next }) =>
        `${line === null ? "" : `${path}:${line}: `}${severity}: ${masked(saw)}\n  next: ${next}`,
    )
    .map(printable)
    .join("\n");
}

export function confJson({ path, options, problems }: ReadConf): object {
  return {
    path,
    valid: problems.every(({ severity }) => severity !== "error"),
    options: options.map(({ key, value, from, line, variable, description }) => ({
      ...{ option: key, value: value === null ? null : masked(value), from, line, variable, description },
    })),
    problems: problems.map((problem) => ({ ...problem, saw: masked(problem.saw) })),
  };
}

function shown(value: string | null): string {
  return value === null || value === "" ? "" : masked(value);
}

/** The password of an address. */
function masked(text: string): string {
  return text.replace(/(\w+:\/\/[^\s:@/]*):[^\s@/]+@/g, "$1:***@");
}
