import type { ForeignFiles, UnclearForeign } from "../domain/tasks/foreign-files.ts";
import type { Blocked } from "../domain/tasks/task.ts";

/** How many differing directives a status names; `plan --diff` and `cat` show files. */
const CAUSES_SHOWN = 5;

const UNCLEAR: Readonly<Record<UnclearForeign, string>> = {
  "not-in-etc": "only units in /etc/systemd/system can be taken over",
  "has-aliases": "it has other names as well, which would be gone",
  "changed-since-loaded": "its files changed since systemd loaded them: systemctl daemon-reload",
  unreadable: "one of its files cannot be read",
};

/** A blocked unit's problem in a status: the file in the way, and how what it says differs from ours. */
export function blockedDetail(because: Blocked["because"]): string {
  const difference = because.code === "conflict" && because.foreign !== undefined ? differenceOf(because.foreign) : "";
  return [because.fragmentPath, difference].filter((part) => part !== "").join(": ");
}

function differenceOf(foreign: ForeignFiles): string {
  if (foreign.state === "same") return "amounts to the same; adopt: true would take it over";
  if (foreign.state === "unclear") return UNCLEAR[foreign.because];
  if (foreign.state !== "differs") return "";
  const names = foreign.causes.map(({ section, key }) => `[${section}] ${key}=`);
  const rest = names.length > CAUSES_SHOWN ? ` and ${names.length - CAUSES_SHOWN} more` : "";
  return names.length === 0 ? "differs" : `differs in ${names.slice(0, CAUSES_SHOWN).join(", ")}${rest}`;
}
