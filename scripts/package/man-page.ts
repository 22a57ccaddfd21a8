import type { ShownCommand, ShownFlag } from "../../src/cli/shown-commands.ts";

export interface ManPageOptions {
  readonly version: string;
  /** `2026-11-21`. */
  readonly date: string;
  /** docs/commands.md, which tells the exit codes once. */
  readonly commandsPage: string;
}

/** fleet(1), for man-db and mandoc: every command with its arguments and flags as its own class declares them. */
export function manPage(commands: readonly ShownCommand[], { version, date, commandsPage }: ManPageOptions): string {
  return [
    `.TH FLEET 1 ${date} "fleet ${version}" "fleet"`,
    ".SH NAME",
    "fleet \\- run the systemd units of a git repository on a cluster of machines",
    ".SH SYNOPSIS",
    ".B fleet\n.I COMMAND\n.RI [ ARGUMENTS ]\n.RI [ FLAGS ]",
    ".SH DESCRIPTION",
    text(
      "fleet turns a git repository of systemd unit files into running services on a cluster of machines: fleet plan shows what a commit would change, on which machine and why; fleet apply makes that commit the cluster's release. Engines decide placement, an agent on each machine makes systemd match, and nothing but a commit can say what should run.",
    ),
    ".PP",
    text(
      "On a machine, three services do this: fleet-agent.service on each, fleet-engine.service where placement is decided, and fleet-registry.service where no etcd is used. None of them is enabled by installing. fleet doctor names what is wrong on a machine.",
    ),
    ".SH COMMANDS",
    ...commands.map(commandSection),
    ".SH EXIT STATUS",
    ...exitCodes(commandsPage).map(([code, meaning]) => `.TP\n.B ${code}\n${text(meaning)}`),
    ".SH FILES",
    ...FILES.map(([path, meaning]) => `.TP\n.I ${path}\n${text(meaning)}`),
    ".SH SEE ALSO",
    ".BR systemctl (1),\n.BR journalctl (1),\n.BR systemd.unit (5)",
    "",
  ].join("\n");
}

const FILES: readonly (readonly [path: string, meaning: string])[] = [
  [
    "/etc/fleet/fleet.conf",
    'What daemons are told, one key="value" a line: each key is a flag of theirs with _ for -.',
  ],
  ["/run/fleet/registry.sock", "The embedded registry of this machine; who is in the group fleet may use it."],
  ["/run/fleet-engine/api.sock", "The engine's HTTP API; who is in the group fleet may ask."],
  ["/run/systemd/system", "Where the agent writes units; a restart of the machine empties it."],
  ["/var/lib/fleet", "What the agent and the embedded registry remember."],
  ["/var/lib/fleet-engine", "What the engine remembers."],
];

function commandSection({ words, summary, description, examples, args, flags }: ShownCommand): string {
  const usage = args.map(({ name, required }) => (required ? name.toUpperCase() : `[${name.toUpperCase()}]`));
  return [
    `.SS fleet ${escaped([...words, ...usage].join(" "))}`,
    text(`${summary}.`),
    ...(description === "" ? [] : [".PP", text(description)]),
    ...args
      .filter((arg) => arg.description !== "")
      .map((arg) => `.TP\n.I ${escaped(arg.name.toUpperCase())}\n${text(arg.description)}`),
    ...flags.map(flagParagraph),
    ...examples.map((example) => `.PP\n.RS\n.B ${text(example)}\n.RE`),
  ].join("\n");
}

function flagParagraph(flag: ShownFlag): string {
  const value = flag.takesValue ? ` \\fI${escaped(flag.values.join("|") || "VALUE")}\\fR` : "";
  const short = flag.char === null ? "" : `\\fB\\-${flag.char}\\fR, `;
  const set = [flag.env === null ? "" : `set by ${flag.env}`, flag.default ? `default ${flag.default}` : ""]
    .filter((part) => part !== "")
    .join("; ");
  return `.TP\n${short}\\fB\\-\\-${escaped(flag.name)}\\fR${value}\n${text(`${flag.description}${set === "" ? "" : ` (${set})`}`)}`;
}

/** The rows of the table under "Exit codes", without Markdown's marks. */
function exitCodes(page: string): [code: string, meaning: string][] {
  const section = page.split("## Exit codes")[1]?.split("\n## ")[0] ?? "";
  const rows = [...section.matchAll(/^\| (\d+) \| (.+) \|$/gm)];
  if (rows.length === 0) throw new Error("docs/commands.md has no table of exit codes");
  return rows.map(([, code, meaning]) => [
    code!,
    meaning!
      .replaceAll(/\s*\(\[[^\]]*\]\([^)]*\)\)/g, "")
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replaceAll("`", ""),
  ]);
}

/** A paragraph: no line of it is taken for a request of troff's. */
function text(paragraph: string): string {
  return escaped(paragraph.replaceAll(/\s+/g, " ").trim()).replace(/^(?=[.'])/, "\\&");
}

function escaped(words: string): string {
  return words.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}
