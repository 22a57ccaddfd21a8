import { compareText, type MachineId, type UnitName } from "../domain/names.ts";
import type { Change, Plan, PlanMachine, Side } from "../domain/plan/plan.ts";
import type { ClusterSpec, SpecUnit } from "../domain/spec/cluster-spec.ts";
import { type Delivery, deliveredBytes, deliveredName } from "../domain/spec/delivered-file.ts";
import { filesOnMachine, type SourcedFile } from "../domain/spec/unit-on-machine.ts";
import { effectiveUnit } from "../domain/unit/effective-unit.ts";
import { parseUnitFile } from "../domain/unit/parse-unit-file.ts";
import { type EffectiveLine, printEffectiveUnit } from "../domain/unit/print-effective-unit.ts";

/** What changes of units as systemd reads them; null where there is none on that side. */
export interface UnitDiff {
  /** Units of which the very same changes, such as the instances of a template; with `on` and a machine where others get another. Sorted. */
  readonly units: readonly string[];
  readonly before: readonly EffectiveLine[] | null;
  readonly after: readonly EffectiveLine[] | null;
}

/** Of a plan; or of two commits, where a machine without a name stands for any that has no files of its own. */
export interface DiffedChanges extends Pick<Plan, "changes"> {
  readonly machines: readonly Pick<PlanMachine, "id" | "name">[];
}

/**
 * The units behind a plan's changes, after templates, drop-ins and the machine's own, and of templates that travel along. `released` is
 * the release's commit compiled, or null where this repository does not have it: then nothing is known of before. A unit that
 * only moves is the same unit.
 */
export function diffPlan(plan: DiffedChanges, spec: ClusterSpec, released: ClusterSpec | null): UnitDiff[] {
  const names = new Map(plan.machines.map((machine) => [machine.id, machine.name]));
  const [older, newer] = [released === null ? null : withUnits(released), withUnits(spec)];
  const changed = plan.changes.flatMap((change) => changedTexts(change, names, older, newer));
  const kinds = new Map<string, Set<string>>();
  for (const { unit, key } of changed) kinds.set(unit, (kinds.get(unit) ?? new Set()).add(key));
  return [...Map.groupBy(changed, ({ key }) => key).values()].map((same) => {
    const units = same.map(({ unit, machine }) => (kinds.get(unit)!.size === 1 ? unit : `${unit} on ${machine}`));
    return { units: [...new Set(units)].sort(compareText), before: same[0]!.before, after: same[0]!.after };
  });
}

interface ChangedText extends Omit<UnitDiff, "units"> {
  readonly unit: string;
  readonly machine: string;
  /** Equal where the lines are, wherever they are written. */
  readonly key: string;
}

type Names = ReadonlyMap<MachineId, string>;

function changedTexts(change: Change, names: Names, older: NamedUnits | null, newer: NamedUnits): ChangedText[] {
  const before = textsOf(change, change.from, names, older);
  const after = textsOf(change, change.to, names, newer);
  const at = (change.to ?? change.from)!.machine;
  const machine = names.get(at) ?? at.slice(0, 8);
  return [...new Set([...before.keys(), ...after.keys()])].sort(compareText).flatMap((unit) => {
    const [was, is] = [before.get(unit) ?? null, after.get(unit) ?? null];
    const [wasKey, isKey] = [was, is].map((lines) => JSON.stringify(linesOf(lines)));
    return wasKey === isKey ? [] : [{ unit, machine, key: `${wasKey} ${isKey}`, before: was, after: is }];
  });
}

/** A spec whose units are found by name: plans have thousands of changes. */
interface NamedUnits {
  readonly spec: ClusterSpec;
  readonly units: ReadonlyMap<UnitName, SpecUnit>;
}

function withUnits(spec: ClusterSpec): NamedUnits {
  return { spec, units: new Map(spec.units.map((unit) => [unit.name, unit])) };
}

function linesOf(lines: readonly EffectiveLine[] | null): readonly string[] | null {
  return lines?.map((line) => line.text) ?? null;
}

/** By the name of the unit: its own and that of each template that travels along. */
function textsOf(
  { unit }: Change,
  side: Side | null,
  names: Names,
  named: NamedUnits | null,
): ReadonlyMap<string, readonly EffectiveLine[]> {
  const found = named?.units.get(unit);
  if (side === null || named === null || found === undefined) return new Map();
  const files = filesOnMachine(found, names.get(side.machine) ?? null, named.spec);
  const units = [found.name, ...found.companions.map((companion) => companion.name)];
  const texts = new Map<string, readonly EffectiveLine[]>(units.map((name) => [name, effectiveLines(name, files)]));
  for (const file of files) {
    if (file.delivery === undefined) continue;
    const what = file.delivery.encoding === "age" ? "secret" : "file";
    texts.set(`${unit} ${what} ${deliveredName(found.service, file.path)}`, deliveredLines(file, file.delivery));
  }
  return texts;
}

/** A line of what it is, and those it has; of what is no text only how much there is of it. */
function deliveredLines({ text, source }: SourcedFile, delivery: Delivery): readonly EffectiveLine[] {
  const { mode, owner, group, encoding } = delivery;
  const head = { text: `# ${mode} ${owner}:${group}`, at: null };
  if (encoding !== undefined) {
    const bytes = deliveredBytes({ text, encoding });
    const what = encoding === "age" ? "encrypted" : "that are no text";
    return [head, { text: `(${bytes} bytes ${what}${checksum(text)})`, at: { path: source } }];
  }
  const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n") : [...text.split("\n"), NO_NEWLINE];
  return [head, ...lines.map((line, index) => ({ text: line, at: { path: source, line: index + 1 } }))];
}

const NO_NEWLINE = "(no newline at the end)";

/** Tells two of the same size apart, for people. */
function checksum(text: string): string {
  let sum = 0;
  for (let at = 0; at < text.length; at++) sum = (Math.imul(sum, 31) + text.charCodeAt(at)) >>> 0;
  return `, ${sum.toString(16).padStart(8, "0")}`;
}

function effectiveLines(name: UnitName, files: readonly SourcedFile[]): readonly EffectiveLine[] {
  const read = ({ source, text }: SourcedFile) => parseUnitFile(source, text).file;
  const fragment = files.filter((file) => file.path === name).map(read);
  const dropins = files.filter((file) => file.path.startsWith(`${name}.d/`)).map(read);
  return printEffectiveUnit(effectiveUnit(fragment[0]!, dropins));
}
