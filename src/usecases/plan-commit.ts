import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { IndexedUnit } from "../codec/registry-records.ts";
import { recipientTag } from "../codec/signatures/machine-ssh-key.ts";
import type { Quarantined } from "../codec/snapshot-from-entries.ts";
import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../domain/cluster/empty-snapshot.ts";
import type { Machine } from "../domain/cluster/machine.ts";
import { machinesOf } from "../domain/cluster/machines-of.ts";
import type { Diagnostic } from "../domain/diagnostic.ts";
import { hasErrors } from "../domain/diagnostic.ts";
import type { CommitId, MachineId, Sha256 } from "../domain/names.ts";
import { brokenReferences } from "../domain/plan/broken-references.ts";
import { findDrift } from "../domain/plan/find-drift.ts";
import { idleSpreads } from "../domain/plan/idle-spreads.ts";
import { imageChanges } from "../domain/plan/image-changes.ts";
import { newlyUnplaceable } from "../domain/plan/newly-unplaceable.ts";
import type { Plan } from "../domain/plan/plan.ts";
import { type PlanInput, planChanges } from "../domain/plan/plan-changes.ts";
import type { PlanReport } from "../domain/plan/plan-report.ts";
import { type PlanVerdict, planVerdict } from "../domain/plan/plan-verdict.ts";
import { type PlannedTrial, plannedTrials } from "../domain/plan/planned-trials.ts";
import { rolloutFindings } from "../domain/plan/rollout-findings.ts";
import { stoppedRelease } from "../domain/plan/stopped-release.ts";
import { type PlanSelection, patternsWithoutUnits, viewOfPlan } from "../domain/plan/view-of-plan.ts";
import { WhatIfs } from "../domain/plan/what-if.ts";
import { secretFindings } from "../domain/secret/secret-findings.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { RegistryReader } from "../ports/registry.ts";
import type { CommitCompiler } from "./commit-compiler.ts";
import { lostMachines } from "./lost-machines.ts";
import { planBase, specOfRelease } from "./plan-base.ts";
import { readSnapshot } from "./read-snapshot.ts";
import { readSpecIndex } from "./read-spec-index.ts";

/** A registry and where in it the cluster stands. */
export interface Cluster {
  readonly registry: RegistryReader;
  keysOf(cluster: string): RegistryKeys;
}

export type PlannedCommit =
  | { readonly kind: "rejected"; readonly diagnostics: readonly Diagnostic[] }
  | (PlanReport & {
      readonly kind: "planned";
      readonly spec: ClusterSpec;
      /** The spec of the release in force; null where there is none, or this repository does not have its commit. */
      readonly released: ClusterSpec | null;
      readonly machines: readonly Machine[];
      readonly snapshot: ClusterSnapshot;
      /** Warnings and infos. */
      readonly diagnostics: readonly Diagnostic[];
      readonly quarantined: readonly Quarantined[];
    });

/** What this commit would change. With no cluster (null) it says what would run; that is not an error. */
export async function planCommit(input: {
  readonly commit: CommitId;
  readonly compile: CommitCompiler;
  /** For the release's commit, where `compile` reads a working tree and no commits. */
  readonly compileReleased?: CommitCompiler;
  readonly cluster: Cluster | null;
  /** Which view of the commit this is, where it is not the whole commit; such a plan cannot be applied. */
  readonly partial: string | null;
  /** Shows the part of the plan that concerns some units. */
  readonly selection?: PlanSelection;
  /** Selectors of machines: the plan as if those were lost, and what the loss does. It cannot be applied. */
  readonly without?: readonly string[];
  /** What the loss of each machine in turn does, once the plan is applied. */
  readonly eachLost?: boolean;
  readonly sha256: Sha256;
}): Promise<PlannedCommit> {
  const { spec, diagnostics } = await input.compile(input.commit);
  if (spec === null || hasErrors(diagnostics)) return { kind: "rejected", diagnostics };
  const reading =
    input.cluster === null ? null : await readSnapshot(input.cluster.registry, input.cluster.keysOf(spec.cluster));
  if (reading?.newerVersion != null) {
    throw new OperationError("newer-fleet", `the registry holds records of version ${reading.newerVersion}`, {
      next: "use the fleet version the cluster runs",
    });
  }
  const snapshot = reading?.snapshot ?? emptySnapshot;
  const machines = machinesOf(spec, snapshot, new Set());
  // What machines say of themselves may let a unit come where git alone would not have it.
  const unreadable = secretFindings(spec, { machines, stated: null }, recipientTag);
  if (hasErrors(unreadable)) return { kind: "rejected", diagnostics: [...diagnostics, ...unreadable] };
  const compileReleased = input.compileReleased ?? input.compile;
  const released = await releasedSpec(compileReleased, spec, snapshot);
  const lost = lostMachines(input.without ?? [], machines);
  const base = await planBase(compileReleased, spec, snapshot);
  const planned = { spec, released, ...base, snapshot, machines, ...input };
  const whole = planChanges(planned);
  const wanted = lost.length === 0 ? whole : planChanges(asIfLost(planned, lost));
  const plan = input.selection === undefined ? wanted : selectedPart(wanted, input.selection, input.sha256);
  const whatIfs = () => {
    const trials = new WhatIfs(spec, machines, whole.placements);
    return [
      ...(lost.length === 0 ? [] : [trials.compare(lost, wanted.placements)]),
      ...(input.eachLost === true ? machines.map(({ id }) => trials.lose([id])) : []),
    ];
  };
  const stopped = stoppedRelease(snapshot, spec.specHash);
  const index = await readIndex(input.cluster, spec.cluster, snapshot);
  let verdict: PlanVerdict | null = null;
  let trials: readonly PlannedTrial[] | null = null;
  const previous = new Set((released?.units ?? index).map((unit) => unit.name));
  return {
    kind: "planned",
    plan,
    spec,
    released,
    machines,
    snapshot,
    diagnostics: [...diagnostics, ...idleSpreads(spec, machines), ...rolloutFindings(spec, machines, whole.placements)],
    quarantined: reading?.quarantined ?? [],
    revision: snapshot.revision,
    ...(stopped === null ? {} : { stopped }),
    images: imageChanges(plan, spec, released),
    newlyUnplaceable: newlyUnplaceable(whole, snapshot, previous),
    /** Found out when somebody looks: one line where nothing changes shows none of it, and at 20,000 units it costs as much as placing. */
    get verdict() {
      verdict ??= lost.length === 0 ? planVerdict(whole, spec, machines) : withoutVerdict(wanted);
      return verdict;
    },
    get trials() {
      trials ??= plannedTrials(plan, spec, released);
      return trials;
    },
    whatIf: lost.length > 0 || input.eachLost === true ? whatIfs() : [],
    drift: findDrift({ snapshot, released, machines, index, sha256: input.sha256 }),
    broken: brokenReferences(plan.changes, spec),
  };
}

/** The same with those machines lost, which is a view: nothing is to be applied that assumes a loss. */
function asIfLost(planned: PlanInput, lost: readonly MachineId[]): PlanInput {
  const gone = planned.machines.filter(({ id }) => lost.includes(id));
  const machines = planned.machines.map(
    (machine): Machine => (gone.includes(machine) ? { ...machine, presence: "lost" } : machine),
  );
  const without = `the loss of ${gone.map(({ name }) => name).join(", ")}`;
  return { ...planned, machines, partial: planned.partial === null ? without : `${planned.partial}, ${without}` };
}

/** A plan of a loss says what the loss does, not what one more would. */
function withoutVerdict({ changes, counts }: Plan): PlanVerdict {
  return { changes: changes.length > 0, counts, loss: null, partition: null };
}

/** A pattern of no unit is a typing error, and must not read as "nothing changes". */
function selectedPart(plan: Plan, selection: PlanSelection, sha256: Sha256): Plan {
  const units = [...plan.placements, ...plan.changes].map(({ unit }) => unit);
  const known = [...units, ...plan.unknown, ...plan.unplaced.flatMap((group) => group.units)];
  const unmatched = patternsWithoutUnits(selection, known);
  if (unmatched.length === 0) return viewOfPlan(plan, selection, sha256);
  throw new OperationError("no-such-unit", `no unit of the commit or the cluster matches ${unmatched.join(", ")}`, {
    next: "give a unit's name, or a pattern such as 'web@*.service'",
  });
}

/** What runs now as a spec; null where this repository does not have the release's commit, a shallow clone say. */
async function releasedSpec(
  compile: CommitCompiler,
  spec: ClusterSpec,
  { release }: ClusterSnapshot,
): Promise<ClusterSpec | null> {
  if (release === null) return null;
  return release.specHash === spec.specHash ? spec : specOfRelease(compile, release);
}

async function readIndex(
  cluster: Cluster | null,
  name: string,
  { release }: ClusterSnapshot,
): Promise<readonly IndexedUnit[]> {
  if (cluster === null || release === null) return [];
  return readSpecIndex(cluster.registry, cluster.keysOf(name), release.specHash);
}
