/** A command as oclif's manifest has it of its class, without what is hidden. */
export interface ShownCommand {
  /** The words people type after `fleet`: `lab`, `up`. */
  readonly words: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly args: readonly ShownArgument[];
  readonly flags: readonly ShownFlag[];
}

export interface ShownArgument {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** Kinds of names of a cluster or a repository that it takes: what `fleet __complete` is asked for. */
  readonly names: readonly string[];
}

export interface ShownFlag {
  readonly name: string;
  readonly char: string | null;
  readonly description: string;
  readonly takesValue: boolean;
  /** The only values it takes, where there are such. */
  readonly values: readonly string[];
  readonly env: string | null;
  readonly default: string | null;
  /** As of an argument. */
  readonly names: readonly string[];
}

interface ManifestEntry {
  readonly hidden?: boolean;
  readonly summary?: string;
  readonly description?: string;
  readonly examples?: readonly string[];
  readonly args?: Readonly<Record<string, { name: string; description?: string; required?: boolean }>>;
  readonly flags?: Readonly<Record<string, ManifestFlag>>;
}

interface ManifestFlag {
  readonly name: string;
  readonly char?: string;
  readonly description?: string;
  readonly type: "boolean" | "option";
  readonly hidden?: boolean;
  readonly options?: readonly string[];
  readonly env?: string;
  readonly default?: unknown;
}

/** Every command of `oclif.manifest.json`, in the order of their names. */
export function shownCommands(manifest: string): ShownCommand[] {
  const { commands } = JSON.parse(manifest) as { commands: Readonly<Record<string, ManifestEntry>> };
  return Object.entries(commands)
    .filter(([, command]) => command.hidden !== true)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, command]) => ({
      words: id.split(":"),
      summary: command.summary ?? "",
      description: command.description ?? "",
      examples: command.examples ?? [],
      args: Object.values(command.args ?? {}).map(({ name, description = "", required = false }) => ({
        name,
        description,
        required,
        names: namesOf(id, name),
      })),
      flags: Object.values(command.flags ?? {})
        .filter(({ hidden }) => hidden !== true)
        .map((flag) => shownFlag(id, flag)),
    }));
}

function shownFlag(id: string, flag: ManifestFlag): ShownFlag {
  const { default: value } = flag;
  return {
    name: flag.name,
    char: flag.char ?? null,
    description: flag.description ?? "",
    takesValue: flag.type === "option",
    values: flag.options ?? [],
    env: flag.env ?? null,
    default: typeof value === "string" || typeof value === "number" || Array.isArray(value) ? String(value) : null,
    names: flag.type === "option" ? namesOf(id, flag.name) : [],
  };
}

/** By what our commands call what they take; `ssh` takes both kinds in one. */
function namesOf(id: string, name: string): readonly string[] {
  if (id === "ssh" && name === "target") return ["machines", "units"];
  if (/^units?$/.test(name)) return ["units"];
  if (/^machines?$/.test(name) && !id.startsWith("lab:")) return ["machines"];
  return /^(revision|commit|from|to)$/.test(name) ? ["revisions"] : [];
}
