import { parseSelector } from "../cluster/selector.ts";
import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import type { NodeKey } from "../identity/node-key.ts";
import { compareText, parseMachineId, type UnitName } from "../names.ts";
import { closestName } from "../unit/closest-name.ts";
import { printUnitFile } from "../unit/print-unit-file.ts";
import type { UnitFile } from "../unit/unit-file.ts";
import type { MachineDropin, SpecMachine } from "./cluster-spec.ts";
import type { Located, Manifest, ManifestMachine } from "./manifest.ts";
import { type RepositoryFile, resolveFromManifest } from "./repository-files.ts";
import { RESERVED_DROPINS } from "./reserved-dropins.ts";

/** What a machine says of itself and nobody else may: placement relies on it. */
const RESERVED_METADATA = ["arch", "os", "systemd"];

/** What the machines' stanzas are compared with. */
export interface MachineContext {
  readonly manifestPath: string;
  readonly files: ReadonlyMap<string, RepositoryFile>;
  readonly read: (file: RepositoryFile) => UnitFile;
  /** Units and templates of the commit. */
  readonly unitNames: readonly UnitName[];
}

/** The manifest's `machines:`, sorted by key. */
export function compileMachines(
  manifest: Manifest,
  context: MachineContext,
): { machines: readonly SpecMachine[]; diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const compiled = manifest.machines.map((machine) => compileMachine(machine, context, diagnostics));
  const machines = compiled.sort((a, b) => compareText(a.key, b.key));
  const byId = new Map<string, string>();
  for (const { key, id } of machines) {
    const other = id === null ? undefined : byId.get(id);
    if (other !== undefined) {
      const at = manifest.machines.find((machine) => machine.key.value === key)!;
      diagnostics.push(error("machine-id-twice", (at.id ?? at.key).at, `the machine id of ${other} for ${key} too`));
    } else if (id !== null) byId.set(id, key);
  }
  diagnostics.push(...keysTwice(manifest.machines));
  return { machines, diagnostics };
}

function compileMachine(machine: ManifestMachine, context: MachineContext, diagnostics: Diagnostic[]): SpecMachine {
  const { key } = machine;
  const selector = parseSelector(key.value);
  if ("problem" in selector) diagnostics.push(error("machine-key", key.at, selector.problem));
  const match = "problem" in selector || selector.kind === "machine" ? null : selector;
  if (match === null && !("problem" in selector) && !/^[a-z0-9.-]+$/.test(key.value)) {
    const saw = `the machine name ${JSON.stringify(key.value)}`;
    diagnostics.push({ ...error("machine-key", key.at, saw), expected: "a name of a-z, 0-9, dots and -" });
  }
  if (match !== null && machine.id !== null) {
    diagnostics.push(error("machine-key", machine.id.at, `an id under ${key.value}, which may match many machines`));
  }
  const id = machine.id?.value ?? parseMachineId(key.value);
  for (const { at } of keysOf(machine)) {
    if (id !== null && match === null) continue;
    const saw = match === null ? `a key for ${key.value}, which has no id` : `a key under the selector ${key.value}`;
    diagnostics.push(error("node-key-without-id", at, saw, "a key is one machine's: add the id fleet prints with it"));
  }
  for (const { key: name, at } of machine.metadata) {
    if (!RESERVED_METADATA.includes(name)) continue;
    const saw = `metadata ${name}, which the machine says of itself`;
    diagnostics.push(error("metadata-reserved", at, saw, `reserved are ${RESERVED_METADATA.join(", ")}`));
  }
  const first = machine.dropins[0];
  if (match !== null && first !== undefined) {
    const saw = `drop-ins under the selector ${key.value}, which will apply to each machine it matches and is not built yet`;
    diagnostics.push(error("manifest-not-yet", first.unit.at, saw, "write them under each machine's name"));
  }
  return {
    key: key.value,
    match,
    id,
    ...(machine.machineKey === null ? {} : { machineKey: machine.machineKey.value }),
    ...(machine.engineKey === null ? {} : { engineKey: machine.engineKey.value }),
    metadata: Object.fromEntries(
      machine.metadata.map(({ key: name, value }) => [name, value] as const).sort(([a], [b]) => compareText(a, b)),
    ),
    drain: machine.drain,
    cordon: machine.cordon,
    dropins: machineDropins(machine, context, diagnostics),
  };
}

interface ListedKey extends Located<NodeKey> {
  /** Whose it is, for people. */
  readonly of: string;
}

function keysOf({ key, machineKey, engineKey }: ManifestMachine): readonly ListedKey[] {
  return [
    ...(machineKey === null ? [] : [{ ...machineKey, of: `the key of ${key.value}` }]),
    ...(engineKey === null ? [] : [{ ...engineKey, of: `the engine key of ${key.value}` }]),
  ];
}

/** A key is listed once in all: whoever has it is one process on one machine, also not its agent and its engine. */
function keysTwice(machines: readonly ManifestMachine[]): readonly Diagnostic[] {
  const owners = new Map<NodeKey, string>();
  return machines.flatMap(keysOf).flatMap(({ value, at, of }) => {
    const other = owners.get(value);
    if (other !== undefined)
      return error(
        "node-key-twice",
        at,
        `${other} as ${of} too`,
        "each is made by the process it names: fleet join prints it",
      );
    owners.set(value, of);
    return [];
  });
}

function machineDropins(
  machine: ManifestMachine,
  context: MachineContext,
  diagnostics: Diagnostic[],
): readonly MachineDropin[] {
  const known: ReadonlySet<string> = new Set(context.unitNames);
  const found: MachineDropin[] = [];
  for (const { unit, paths } of machine.dropins) {
    if (!known.has(unit.value)) {
      const meant = closestName(unit.value, known);
      const next = meant === null ? undefined : `did you mean ${meant}?`;
      diagnostics.push(error("unit-unknown", unit.at, `${unit.value}, which is no unit of this commit`, next));
      continue;
    }
    for (const { value, at } of paths) {
      // A path out of the repository was reported when the files were listed.
      const path = resolveFromManifest(context.manifestPath, value);
      if (path === null) continue;
      const dropin = machineDropin(unit.value as UnitName, path, at, context, diagnostics);
      if (dropin === null) continue;
      if (found.some((other) => other.unit === dropin.unit && other.name === dropin.name)) {
        diagnostics.push(error("dropin-twice", at, `a second drop-in ${dropin.name} for ${dropin.unit}`, "rename one"));
      }
      found.push(dropin);
    }
  }
  return found.sort((a, b) => compareText(a.unit, b.unit) || compareText(a.name, b.name));
}

function machineDropin(
  unit: UnitName,
  path: string,
  at: SourceLocation,
  context: MachineContext,
  diagnostics: Diagnostic[],
): MachineDropin | null {
  const file = context.files.get(path);
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (file === undefined || file.kind !== "file") {
    const saw = file === undefined ? `no file ${path}` : `the ${file.kind} ${path}`;
    diagnostics.push(error("dropin-missing", at, saw, "paths are relative to the manifest"));
    return null;
  }
  if (!/^[A-Za-z0-9:_.@\\-]{1,250}\.conf$/.test(name) || RESERVED_DROPINS.has(name)) {
    const saw = RESERVED_DROPINS.has(name) ? `${name}, which fleet writes itself` : `the drop-in's name ${name}`;
    diagnostics.push({ ...error("dropin-name", at, saw), expected: "a file name ending in .conf" });
    return null;
  }
  const parsed = context.read(file);
  const options = parsed.entries.find((entry) => entry.kind === "section" && entry.name === "X-Fleet");
  if (options !== undefined) {
    const saw = "[X-Fleet] in one machine's drop-in";
    const next = "where a unit runs cannot depend on where it runs; put it into the unit";
    diagnostics.push(error("dropin-x-fleet", { path, line: options.line }, saw, next));
  }
  return { unit, name, path, text: printUnitFile(parsed) };
}

function error(code: string, at: SourceLocation, saw: string, next?: string): Diagnostic {
  return { code, severity: "error", at, saw, ...(next === undefined ? {} : { next }) };
}
