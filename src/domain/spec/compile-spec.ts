import { canonicalJson, type Json } from "../canonical-json.ts";
import { type Diagnostic, hasErrors } from "../diagnostic.ts";
import { lintManifest } from "../lint/lint-manifest.ts";
import { type LintFinding, lintDiagnostics } from "../lint/lint-rules.ts";
import { lintUnit } from "../lint/lint-unit.ts";
import type { LintFile } from "../lint/lint-unit-file.ts";
import { lossContradictions, lossPolicy } from "../loss/loss-policy.ts";
import { compareText, type Sha256, type SpecHash, type UnitName } from "../names.ts";
import type { RecipientTag } from "../secret/recipient-tag.ts";
import { secretFindings } from "../secret/secret-findings.ts";
import { sightOfGit } from "../secret/secret-reach.ts";
import { closestName } from "../unit/closest-name.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { atMostOneDiagnostics } from "./at-most-one.ts";
import type { ClusterSpec, UnitGoal } from "./cluster-spec.ts";
import { collectFiles } from "./collect-files.ts";
import { companionsOf } from "./companions-of.ts";
import { compileDriver } from "./compile-driver.ts";
import { compileMachines } from "./compile-machines.ts";
import { compileNotify } from "./compile-notify.ts";
import { compileReboots, compileRings } from "./compile-rings.ts";
import { compileTrust } from "./compile-trust.ts";
import { deliveredDigest } from "./delivered-digest.ts";
import { type DraftUnit, type UnitLookup, unitLookup } from "./draft-unit.ts";
import { DraftUnits } from "./draft-units.ts";
import { groupContradictions } from "./group-contradictions.ts";
import { groupUnits } from "./group-units.ts";
import { listUnits } from "./list-units.ts";
import type { Manifest } from "./manifest.ts";
import { orderUnits } from "./order-units.ts";
import { replicaContradictions } from "./replica-contradictions.ts";
import { manifestSources, namedFiles, type ParseFile, type RepositoryFile } from "./repository-files.ts";
import { rolloutContradictions } from "./rollout-contradictions.ts";
import { secretsIn, specUnit } from "./spec-unit.ts";
import { UnitSecrets } from "./unit-secrets.ts";

export interface CompileInput {
  /** From the repository's root. */
  readonly manifestPath: string;
  readonly manifest: Manifest;
  /** At least those `manifestSources` needs, in any order; more are ignored. */
  readonly files: readonly RepositoryFile[];
  /** `parseUnitFile` where not given; a caller may remember results by blob. */
  readonly parse?: ParseFile;
  /**
   * Looks also for what is legal and most likely not meant: for people who write the commit. Daemons leave it out: whether they take
   * a released commit must not hang on a table of names.
   */
  readonly lint?: LintFile;
  /** Where the registry listens that the commit is for: a unit that serves such a port is a finding of the lint. */
  readonly registryPorts?: readonly number[];
  /**
   * Looks also whether every machine a unit may come to can read its secrets, by what git says of machines: for whoever makes a release of the
   * commit. What is released is taken as it is: then a machine that cannot read one says so.
   */
  readonly recipientTag?: RecipientTag;
  /** Secrets that are missing are about to be written: no problem, and empty. */
  readonly assumeSecrets?: true;
}

/**
 * Compiles a commit: the manifest and the files it is about → everything that should exist, every default written out. The
 * order of the files changes nothing. All problems come at once; with an error among them (or a flawed manifest) there is no spec.
 */
export function compileSpec(
  input: CompileInput,
  sha256: Sha256,
): { spec: ClusterSpec | null; diagnostics: readonly Diagnostic[] } {
  const { manifestPath, manifest, files } = input;
  const sources = manifestSources(manifestPath, manifest);
  const collected = collectFiles(manifestPath, sources.unitFolders, files);
  const listed = listUnits(manifest, collected.units);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const named = namedFiles(manifestPath, byPath);
  const { parse = parseUnitFile, lint = null } = input;
  const drafts = new DraftUnits(collected, parse, lint, manifest.defaults, named);
  const units = listed.units.map((unit) => drafts.draft(unit));
  const templates = listed.templates.map((template) => drafts.draft(template));
  const lookup = unitLookup(units);
  const unitNames = [...new Set([...collected.units.keys(), ...units.map((unit) => unit.name)])].sort(compareText);

  const { machines, diagnostics: machineProblems } = compileMachines(manifest, {
    manifestPath,
    files: byPath,
    read: (file) => drafts.read(file, null),
    unitNames,
  });
  const admit = manifest.admit?.value ?? (machines.some((machine) => machine.match === null) ? "listed" : "any");
  const { groups, diagnostics: groupProblems } = groupUnits(units, lookup);
  const order = orderUnits(units, lookup);
  const { rings, diagnostics: ringProblems } = compileRings(manifest.rings);
  const { reboots, diagnostics: rebootProblems } = compileReboots(manifest.reboots);
  const { trust, diagnostics: trustProblems } = compileTrust(manifestPath, manifest.trust);
  const { driver, diagnostics: driverProblems } = compileDriver(manifest);
  const { notify, diagnostics: notifyProblems } = compileNotify(manifest.notify);
  const companions = companionsOf(units, templates, lookup);
  const secrets = new UnitSecrets(collected.secrets, machines, input.assumeSecrets);
  const secretsOf = new Map(units.map((unit) => [unit.name, secrets.of(unit, companions.of(unit))]));
  const diagnostics = sortedUnique([
    ...sources.diagnostics,
    ...collected.diagnostics,
    ...listed.diagnostics,
    ...drafts.diagnostics,
    ...drafts.unreadFiles(),
    ...drafts.unusedDropins(unitNames, (name) => closestName(name, unitNames)),
    ...serviceNamesTwice(units),
    ...machineProblems,
    ...groupProblems,
    ...groupContradictions(groups, machines, admit),
    ...replicaContradictions(groups, machines, admit),
    ...order.diagnostics,
    ...atMostOneDiagnostics(units, order.after, lossPolicy(manifest.loss).agentTtlMs),
    ...lossContradictions(manifest.loss),
    ...ringProblems,
    ...rebootProblems,
    ...trustProblems,
    ...driverProblems,
    ...notifyProblems,
    ...rolloutContradictions(groups, machines, admit),
    ...companions.diagnostics,
    ...secrets.diagnostics,
    ...secrets.unused(),
    ...(input.lint === undefined ? [] : lintFindings(input, drafts, [...units, ...templates])),
  ]);
  if (manifest.flawed || hasErrors(diagnostics)) return { spec: null, diagnostics };

  const activated = activatedUnits(units, lookup);
  const groupOf = new Map(groups.flatMap(({ group }) => group.units.map((name) => [name, group.name] as const)));
  const content: Omit<ClusterSpec, "specHash"> = {
    cluster: manifest.cluster.value,
    units: units.map((unit) =>
      specUnit(unit, {
        goal: goalOf(unit, activated, manifest),
        group: groupOf.get(unit.name)!,
        after: order.after.get(unit.name)!,
        companions: companions.of(unit),
        ...secretsIn(secretsOf.get(unit.name)!),
      }),
    ),
    groups: groups.map(({ group }) => group),
    machines,
    admit,
    loss: lossPolicy(manifest.loss),
    ...(rings.length === 0 ? {} : { rings }),
    ...(reboots === null ? {} : { reboots }),
    ...(trust === null ? {} : { trust }),
    ...(driver === null ? {} : { driver }),
    ...(notify.length === 0 ? {} : { notify }),
    ...(manifest.status === null ? {} : { status: manifest.status }),
  };
  const unreadable =
    input.recipientTag === undefined ? [] : secretFindings(content, sightOfGit(content), input.recipientTag);
  if (unreadable.length > 0) return { spec: null, diagnostics: sortedUnique([...diagnostics, ...unreadable]) };
  return { spec: { ...content, specHash: specHashOf(content, sha256) }, diagnostics };
}

/** sha256 of the canonical JSON of everything in a spec but the hash itself; of delivered files their digests stand for their texts. */
export function specHashOf(content: Omit<ClusterSpec, "specHash">, sha256: Sha256): SpecHash {
  const units = content.units.map((unit) => {
    if (unit.files === undefined) return unit;
    const files = unit.files.map(({ text: _text, ...file }, at) => ({
      ...file,
      digest: deliveredDigest(unit.files![at]!, sha256),
    }));
    return { ...unit, files };
  });
  return sha256(canonicalJson({ ...content, units } as unknown as Json)) as SpecHash;
}

/**
 * Each rule once at each place: a template's instances have the same lines. What a file that cannot be read in full lacks is not
 * held against its unit.
 */
function lintFindings(input: CompileInput, drafts: DraftUnits, units: readonly DraftUnit[]): readonly Diagnostic[] {
  const { manifest, registryPorts = [] } = input;
  const broken = new Set(drafts.diagnostics.filter(({ severity }) => severity === "error").map(({ at }) => at?.path));
  const whole = units.filter(
    ({ fragment, dropins }) => !broken.has(fragment.path) && !dropins.some(({ path }) => broken.has(path)),
  );
  const found = [
    ...lintManifest(manifest),
    ...drafts.findings,
    ...whole.flatMap((unit) => lintUnit(unit, manifest.lint, registryPorts)),
  ];
  const byPlace = new Map<string, LintFinding>();
  for (const finding of found) {
    const { path, line, column } = finding.at;
    const place = `${finding.rule} ${path}:${line}:${column}`;
    if (!byPlace.has(place)) byPlace.set(place, finding);
  }
  return lintDiagnostics([...byPlace.values()], manifest.lint);
}

function activatedUnits(units: readonly DraftUnit[], lookup: UnitLookup): ReadonlySet<UnitName> {
  const names = units.flatMap((unit) => unit.ties.activates.map(({ unit: name }) => lookup(name)?.name ?? null));
  return new Set(names.filter((name) => name !== null));
}

/**
 * What another unit activates is only loaded, unless the manifest asks for that very unit: `defaults: { state: launched }` must
 * not start the backup because its timer exists.
 */
function goalOf(unit: DraftUnit, activated: ReadonlySet<UnitName>, manifest: Manifest): UnitGoal {
  const said = unit.settings.state;
  const isDefault = said === null || said === manifest.defaults.state;
  if (isDefault && activated.has(unit.name)) return said?.value === "inactive" ? "inactive" : "loaded";
  return said?.value ?? "launched";
}

/** `db.container` and `db.service` would be one unit to systemd. */
function serviceNamesTwice(units: readonly DraftUnit[]): readonly Diagnostic[] {
  const first = new Map<UnitName, DraftUnit>();
  return units.flatMap((unit) => {
    const other = first.get(unit.service);
    first.set(unit.service, other ?? unit);
    if (other === undefined) return [];
    const saw = `${unit.name}, which systemd would know as ${unit.service}, as it does ${other.name}`;
    return [{ code: "service-name-twice", severity: "error" as const, at: { path: unit.fragment.path }, saw }];
  });
}

/** By place; what several instances of one template have in common is said once. */
function sortedUnique(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const byText = new Map(diagnostics.map((one) => [canonicalJson(one as unknown as Json), one]));
  return [...byText]
    .sort(
      ([textA, a], [textB, b]) =>
        compareText(a.at?.path ?? "", b.at?.path ?? "") ||
        (a.at?.line ?? 0) - (b.at?.line ?? 0) ||
        (a.at?.column ?? 0) - (b.at?.column ?? 0) ||
        compareText(textA, textB),
    )
    .map(([, one]) => one);
}
