import { hasErrors } from "../../domain/diagnostic.ts";
import { compareText, type UnitName } from "../../domain/names.ts";
import { dropinTargets } from "../../domain/spec/dropin-targets.ts";
import { activatedUnits } from "../../domain/unit/activated-units.ts";
import { type EffectiveUnit, effectiveUnit } from "../../domain/unit/effective-unit.ts";
import { parseBoolean } from "../../domain/unit/parse-boolean.ts";
import { parseUnitFile } from "../../domain/unit/parse-unit-file.ts";
import { expandSpecifiers } from "../../domain/unit/specifiers.ts";
import { unitNameParts } from "../../domain/unit/unit-name.ts";
import { ReferenceReader } from "../../domain/unit/unit-reference.ts";
import { GENERATED_FOLDER, type TextsOnDisk } from "./memory-quadlets.ts";

/** Where the model looks for units; the first wins, as in systemd. */
const FOLDERS = ["/etc/systemd/system", "/run/systemd/system", GENERATED_FOLDER] as const;

const DEPENDENCIES = [
  "Requires",
  "BindsTo",
  "Requisite",
  "Wants",
  "PartOf",
  "After",
  "Before",
  "Conflicts",
  "Upholds",
  "OnFailure",
] as const;
type Dependency = (typeof DEPENDENCIES)[number];

/** A unit as systemd loads it: what its files said at that moment. */
export interface LoadedUnit {
  readonly load: "loaded" | "not-found" | "masked" | "bad-setting";
  /** The fragment's path, or empty. */
  readonly path: string;
  /** In the order they apply. */
  readonly dropinPaths: readonly string[];
  /** The fragment and its drop-ins, in the order they apply, joined. */
  readonly text: string;
  readonly names: Readonly<Record<Dependency, readonly UnitName[]>>;
  /** What a timer, socket or path activates. */
  readonly triggers: readonly UnitName[];
  /** All of the above: while this unit is held, so are they. */
  readonly references: readonly UnitName[];
  readonly commands: readonly string[];
  readonly reloadCommands: readonly string[];
  readonly oneshot: boolean;
  readonly remainAfterExit: boolean;
}

const NOTHING: LoadedUnit = {
  load: "not-found",
  path: "",
  dropinPaths: [],
  text: "",
  names: Object.fromEntries(DEPENDENCIES.map((key) => [key, []])) as unknown as LoadedUnit["names"],
  triggers: [],
  references: [],
  commands: [],
  reloadCommands: [],
  oneshot: false,
  remainAfterExit: false,
};

/** Reads a unit's files as they are now. */
export function loadUnit(files: TextsOnDisk, name: UnitName): LoadedUnit {
  const path = fragmentOf(files, name);
  if (path === null) return NOTHING;
  const text = files.peek(path)!.text;
  if (text === "") return { ...NOTHING, load: "masked", path };
  const dropins = dropinsOf(files, name);
  const parsed = [path, ...dropins].map((file) => parseUnitFile(file, files.peek(file)!.text));
  const texts = [path, ...dropins].map((file) => files.peek(file)!.text).join("");
  if (parsed.some(({ diagnostics }) => hasErrors(diagnostics))) {
    return { ...NOTHING, load: "bad-setting", path, text: texts };
  }
  const [fragment, ...rest] = parsed.map(({ file }) => file);
  return readUnit(name, effectiveUnit(fragment!, rest), path, dropins, texts);
}

function readUnit(
  name: UnitName,
  unit: EffectiveUnit,
  path: string,
  dropinPaths: readonly string[],
  text: string,
): LoadedUnit {
  const reader = new ReferenceReader(name, unit);
  const names = Object.fromEntries(
    DEPENDENCIES.map((key) => [key, reader.list("Unit", key).map((reference) => reference.unit)]),
  ) as Record<Dependency, UnitName[]>;
  const triggers = activatedUnits(name, unit, reader)
    .map((reference) => reference.unit)
    .filter((triggered) => !unitNameParts(triggered).isTemplate);
  const commandsOf = (key: string) =>
    unit.values("Service", key).map(({ value }) => expandSpecifiers(value, name).text);
  const commands = commandsOf("ExecStart");
  const oneshot = unit.last("Service", "Type")?.value === "oneshot";
  const isService = name.endsWith(".service");
  return {
    load: isService && commands.length === 0 ? "bad-setting" : "loaded",
    path,
    dropinPaths,
    text,
    names,
    triggers,
    references: [...new Set([...Object.values(names).flat(), ...triggers])].filter((other) => other !== name).sort(),
    commands,
    reloadCommands: commandsOf("ExecReload"),
    oneshot,
    remainAfterExit: parseBoolean(unit.last("Service", "RemainAfterExit")?.value ?? "no") ?? false,
  };
}

function fragmentOf(files: TextsOnDisk, name: UnitName): string | null {
  const { template, isInstance } = unitNameParts(name);
  for (const fragment of isInstance && template !== null ? [name, template] : [name]) {
    for (const folder of FOLDERS) if (files.peek(`${folder}/${fragment}`) !== null) return `${folder}/${fragment}`;
  }
  return null;
}

function dropinsOf(files: TextsOnDisk, name: UnitName): string[] {
  const found = new Map<string, string>();
  for (const target of dropinTargets(name)) {
    for (const folder of FOLDERS) {
      for (const file of files.names(`${folder}/${target}.d`)) {
        if (file.endsWith(".conf") && !found.has(file)) found.set(file, `${folder}/${target}.d/${file}`);
      }
    }
  }
  return [...found].sort(([a], [b]) => compareText(a, b)).map(([, path]) => path);
}
