import type { SourceLocation } from "../diagnostic.ts";
import type { GroupName, UnitName } from "../names.ts";
import type { ClusterSpec, Group, SpecFile, SpecUnit } from "../spec/cluster-spec.ts";
import type { Manifest } from "../spec/manifest.ts";
import { type EffectiveUnit, effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import type { UnitFile } from "../unit/unit-file.ts";
import { serviceNameOf } from "../unit/unit-name.ts";
import { unitTies } from "../unit/unit-ties.ts";
import type { FilesLink, GoalLink, GroupLink, PlacementLink } from "./unit-explanation.ts";

/** What a commit says of one of its units, with the lines that say it. */
export interface CommitLinks {
  readonly files: FilesLink;
  readonly goal: GoalLink;
  readonly group: GroupLink;
  readonly asks: PlacementLink["asks"];
}

/** Options that choose among machines. */
const ASKS: ReadonlySet<string> = new Set([
  "MachineID",
  "MachineOf",
  "MachineMetadata",
  "Conflicts",
  "Replaces",
  "Global",
  "CPU",
  "Memory",
  "Spread",
  "MaxPerMachine",
]);

/** A commit, and where in it to look. */
export interface CommitBook {
  readonly units: ReadonlyMap<UnitName, SpecUnit>;
  readonly groups: ReadonlyMap<GroupName, Group>;
  /** Of the same commit; null where it could not be read, then the lines of the manifest are missing. */
  readonly manifest: Manifest | null;
}

export function commitBook(spec: ClusterSpec, manifest: Manifest | null): CommitBook {
  return {
    units: new Map(spec.units.map((unit) => [unit.name, unit])),
    groups: new Map(spec.groups.map((group) => [group.name, group])),
    manifest,
  };
}

export function commitLinks(unit: SpecUnit, book: CommitBook): CommitLinks {
  const read = ({ path, text }: SpecFile): UnitFile => parseUnitFile(path, text).file;
  const fragment = read(unit.fragment);
  const dropins = unit.dropins.map((dropin) => ({ name: dropin.name, file: read(dropin) }));
  const effective = effectiveUnit(
    fragment,
    dropins.map(({ file }) => file),
  );
  const generatedAt = environmentAt(unit, book.manifest);
  return {
    files: {
      link: "files",
      template: unit.template,
      files: [
        { role: "fragment", ...firstLine(fragment) },
        ...dropins.map(({ file }) => ({
          role: "dropin" as const,
          ...(generatedAt?.path === file.path ? generatedAt : firstLine(file)),
        })),
      ],
    },
    goal: goalLink(unit, book),
    group: groupLink(unit, book),
    asks: effective
      .assignments("X-Fleet")
      .filter(({ key, value }) => ASKS.has(key) && value !== "")
      .map(({ key, value, at }) => ({ text: `${key}=${value}`, ...at })),
  };
}

/** Where it says what it runs; else its first line that says anything. */
function firstLine({ path, entries }: UnitFile): SourceLocation {
  const assignments = entries.filter((entry) => entry.kind === "assignment");
  const entry = assignments.find(({ key }) => key === "ExecStart") ?? assignments[0];
  return entry === undefined ? { path } : { path, line: entry.line };
}

/** What the manifest says of a unit: under its own key, else under its template's, else for all. */
function saidInManifest<T>(
  unit: Pick<SpecUnit, "name" | "template">,
  manifest: Manifest,
  pick: (settings: Manifest["defaults"]) => T | null,
): T | null {
  const of = (name: UnitName | null) =>
    manifest.units.filter(({ key }) => key.value === name).reduce<T | null>((_, one) => pick(one.settings), null);
  return of(unit.name) ?? of(unit.template) ?? pick(manifest.defaults);
}

function environmentAt(unit: SpecUnit, manifest: Manifest | null): SourceLocation | null {
  if (manifest === null) return null;
  return saidInManifest(unit, manifest, ({ environment }) => environment[0]?.at ?? null);
}

function goalLink(unit: SpecUnit, book: CommitBook): GoalLink {
  const { manifest } = book;
  const instances =
    unit.template === null || manifest === null
      ? null
      : (manifest.units.find(({ key }) => key.value === unit.template)?.settings.instances?.at ?? null);
  return { link: "goal", goal: unit.goal, because: goalBecause(unit, book), instances };
}

/** In the order of `compileSpec`: the unit's own words first, then that another one starts it, then what holds for all. */
function goalBecause(unit: SpecUnit, book: CommitBook): GoalLink["because"] {
  const { manifest } = book;
  const said = manifest === null ? null : saidInManifest(unit, manifest, ({ state }) => state);
  if (said !== null && said.value === unit.goal) return { code: "manifest", at: said.at };
  const by = startersOf(unit, book);
  if (unit.goal === "loaded" && by.length > 0) return { code: "activated", by };
  return manifest === null ? { code: "unknown" } : { code: "default" };
}

/** Directives by which a timer, socket, path or automount starts another unit. */
const STARTS: ReadonlySet<string> = new Set(["Unit=", "Service=", "Accept=", "Where="]);

/** Units of the commit that start this one. */
export function startersOf(
  unit: Pick<SpecUnit, "name" | "group">,
  { groups }: CommitBook,
): readonly { readonly unit: UnitName; readonly by: string }[] {
  const ties = groups.get(unit.group)?.ties ?? [];
  return ties.filter(({ to, by }) => to === unit.name && STARTS.has(by)).map(({ from, by }) => ({ unit: from, by }));
}

function groupLink(unit: SpecUnit, { units, groups }: CommitBook): GroupLink {
  const group = groups.get(unit.group)!;
  return {
    link: "group",
    group: group.name,
    units: group.units,
    global: group.global,
    ties: group.ties.map((tie) => ({ ...tie, at: tieAt(units.get(tie.from), tie) })),
    move: group.move,
    localState: group.localState,
    after: unit.after,
  };
}

/** Null for a tie that no line makes, as a timer's to the service of its own name. */
function tieAt(from: SpecUnit | undefined, { to, by }: { readonly to: UnitName; readonly by: string }) {
  if (from === undefined) return null;
  const effective = effectiveOf(from);
  const ties = unitTies(from.name, effective, from.options);
  const all = [...ties.hardDependencies, ...ties.activates, ...ties.quadlets, ...ties.machineOf];
  const found = all.find((one) => one.by === by && (one.unit === to || one.unit === serviceNameOf(to)));
  return found?.at.line === undefined ? null : found.at;
}

function effectiveOf(unit: SpecUnit): EffectiveUnit {
  const read = ({ path, text }: SpecFile): UnitFile => parseUnitFile(path, text).file;
  return effectiveUnit(read(unit.fragment), unit.dropins.map(read));
}
