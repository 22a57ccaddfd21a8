import type {
  Assignment,
  ClusterSnapshot,
  MachineSet,
  Member,
  PlacedUnit,
  UnitStatus,
} from "../cluster/cluster-snapshot.ts";
import { type Hold, holdOn } from "../cluster/hold.ts";
import type { Machine } from "../cluster/machine.ts";
import { SeenUnits } from "../cluster/seen-units.ts";
import type { CommitId, MachineId, Sha256, UnitName } from "../names.ts";
import { explainSeats } from "../placement/explain-seats.ts";
import { placeUnits } from "../placement/place-units.ts";
import { machinesOfUnits, placedNow } from "../placement/placed-now.ts";
import type { Placement, Unplaced } from "../placement/placement.ts";
import { unitHashes } from "../placement/unit-hashes.ts";
import type { EngineReport } from "../report/engine-report.ts";
import type { RolloutStatus } from "../report/rollout-status.ts";
import { ringOf } from "../rollout/rings.ts";
import type { ClusterSpec, SpecUnit, UnitGoal } from "../spec/cluster-spec.ts";
import type { UnitIndexEntry } from "../spec/index-units.ts";
import type { Manifest } from "../spec/manifest.ts";
import { serviceNameOf } from "../unit/unit-name.ts";
import { agentLink, setLink, systemdLink } from "./agent-links.ts";
import { type CommitBook, commitBook, commitLinks, startersOf } from "./commit-links.ts";
import { type Decided, engineLink, type Leader, type PlacedHere, placementLink, unplacedLink } from "./engine-links.ts";
import { machinesAsReported } from "./machines-as-reported.ts";
import { rolloutVerdict } from "./rollout-verdict.ts";
import type { CommitLink, PlacementLink, UnitExplanation, WhyLink } from "./unit-explanation.ts";
import { type UnitPlace, whyVerdict } from "./why-verdict.ts";

/** Everything that is known of a cluster and of its commit, read at about the same moment. */
export interface WhyInput {
  readonly snapshot: ClusterSnapshot;
  readonly leader: Leader | null;
  readonly report: EngineReport | null;
  /** Of the release; null, or absent: nobody has begun it. */
  readonly rollout?: RolloutStatus | null;
  readonly holds: readonly Hold[];
  /** The release's units, for where its commit is not known here. */
  readonly index: readonly UnitIndexEntry[];
  /** The release's commit; null where this repository does not have it. */
  readonly commit: KnownCommit | null;
  /** The commit the repository has out, where that is another one and compiles. */
  readonly head: { readonly commit: CommitId; readonly spec: ClusterSpec } | null;
  /** Where the release's plan puts units. */
  readonly planned: ReadonlyMap<UnitName, MachineId>;
  readonly sha256: Sha256;
}

export interface KnownCommit {
  readonly spec: ClusterSpec;
  /** Null where it cannot be read on its own: then its lines are missing. */
  readonly manifest: Manifest | null;
  readonly subject: string;
  readonly author: string;
}

/** Explains one unit after another of one cluster: nothing is asked of the deciders twice. */
export class UnitExplainer {
  readonly #input: WhyInput;
  /** As the commit has them. */
  readonly #names: ReadonlyMap<MachineId, string>;
  readonly #members: ReadonlyMap<MachineId, Member>;
  /** Null where the commit is not known here. */
  readonly #book: CommitBook | null;
  readonly #index: ReadonlyMap<UnitName, UnitIndexEntry>;
  readonly #sets: ReadonlyMap<MachineId, MachineSet>;
  readonly #assignments: ReadonlyMap<UnitName, Assignment>;
  /** By unit and machine, as the statuses. */
  readonly #placed: ReadonlyMap<string, PlacedUnit>;
  readonly #statuses: ReadonlyMap<string, UnitStatus>;
  readonly #seen: SeenUnits;
  /** As the commit has them; empty where it is not known here. */
  readonly #machines: readonly Machine[];
  readonly #decide: ((unit: SpecUnit) => Decided) | null;

  constructor(input: WhyInput) {
    const { snapshot, commit } = input;
    this.#input = input;
    const machines = commit === null ? [] : machinesAsReported(commit.spec, snapshot, input.report);
    this.#machines = machines;
    this.#names = new Map(machines.map(({ id, name }) => [id, name]));
    this.#members = new Map(snapshot.members.map((member) => [member.id, member]));
    this.#book = commit === null ? null : commitBook(commit.spec, commit.manifest);
    this.#index = new Map(input.index.map((entry) => [entry.name, entry]));
    this.#sets = new Map(snapshot.sets.map((set) => [set.machine, set]));
    this.#assignments = new Map(snapshot.assignments.map((one) => [one.unit, one]));
    this.#placed = new Map(
      snapshot.sets.flatMap(({ machine, placements }) => placements.map((one) => [`${one.unit}/${machine}`, one])),
    );
    this.#statuses = new Map(snapshot.statuses.map((one) => [`${one.unit}/${one.machine}`, one]));
    this.#seen = new SeenUnits(commit?.spec ?? { units: [] }, snapshot);
    this.#decide = commit === null ? null : decider(commit.spec, machines, input);
  }

  /** One for each machine it is on, or (a global unit) is to be on, by name; one where there is none. Empty: neither the release nor any machine has it. */
  explain(name: UnitName): UnitExplanation[] {
    const places = placedNow(this.#input.snapshot).get(name) ?? [];
    if (places.length === 0 && this.#book?.units.has(name) !== true && !this.#index.has(name)) return [];
    const unit = this.#book?.units.get(name);
    const wanted = unit?.options.global === true ? (this.#decide?.(unit).placements ?? []) : [];
    const machines = new Set([...places, ...wanted].map(({ machine }) => machine));
    const sorted = [...machines].sort((a, b) => (this.#nameOf(a) < this.#nameOf(b) ? -1 : 1));
    return (sorted.length === 0 ? [null] : sorted).map((machine) => this.#explainOn(name, machine));
  }

  #explainOn(name: UnitName, machine: MachineId | null): UnitExplanation {
    const { snapshot, report, leader, holds, sha256 } = this.#input;
    const releaseSeq = snapshot.release?.seq ?? 0;
    const unit = this.#book?.units.get(name) ?? null;
    const decided = unit === null ? null : (this.#decide?.(unit) ?? null);
    const book = this.#book;
    const said = unit === null || book === null ? null : commitLinks(unit, book);
    const engine = engineLink(name, leader, report, this.#nameOf, this.#input.rollout ?? null);
    const set = machine === null ? undefined : this.#sets.get(machine);
    const placed = this.#placed.get(`${name}/${machine}`) ?? null;
    const member = machine === null ? undefined : this.#members.get(machine);
    const status = this.#statuses.get(`${name}/${machine}`) ?? null;
    const hold = machine === null ? null : holdOn(holds, machine, name);
    const systemd = member === undefined ? null : systemdLink(member, status);
    const asks = said?.asks ?? [];
    const assignment = this.#assignments.get(name);
    const goal = unit?.goal ?? this.#index.get(name)?.goal ?? "inactive";
    const here =
      machine === null || placed === null
        ? null
        : { unit: name, machine, placedFor: assignment?.reason ?? null, since: assignment?.at ?? null };
    const place = placeOf(goal, placed, machine, decided);
    const at = machine ?? decided?.placements[0]?.machine ?? null;
    const verdict = whyVerdict({
      goal,
      startedBy: unit === null || book === null ? [] : startersOf(unit, book).map((starter) => starter.unit),
      seen: machine === null || placed === null ? null : this.#seen.judge({ machine, ...placed }),
      place,
      isToChange: decided === null ? engine.waits.length > 0 : isToChange(placed, machine, decided),
      unplaced: decided?.unplaced ?? (decided === null ? toldUnplaced(report, name) : null),
      isGlobal: unit?.options.global ?? this.#index.get(name)?.global ?? false,
      engine,
      releaseSeq,
      systemd,
      hold,
      // Moves go on whatever a rollout does; what is placed nowhere yet moves from nowhere.
      rollout:
        place === "moves" && placed !== null
          ? null
          : rolloutVerdict(this.#input.rollout ?? null, { unit: name, machine, ring: this.#ringOf(at) }),
    });
    const links: (WhyLink | null)[] = [
      this.#commitLink(name, unit),
      said?.files ?? null,
      said?.goal ?? goalOnly(goal),
      said?.group ?? null,
      ...this.#placeLinks(name, goal, here ?? machine, decided, asks),
      engine,
      set === undefined || placed === null ? null : setLink(set, placed, snapshot, sha256),
      member === undefined || placed === null ? null : agentLink(member, placed, status, hold, report, releaseSeq),
      systemd,
    ];
    return {
      unit: name,
      service: serviceNameOf(name),
      machine,
      machineName: machine === null ? null : this.#nameOf(machine),
      verdict,
      links: links.filter((link) => link !== null),
    };
  }

  #placeLinks(
    name: UnitName,
    goal: UnitGoal,
    at: PlacedHere | MachineId | null,
    decided: Decided | null,
    asks: PlacementLink["asks"],
  ): WhyLink[] {
    const { report } = this.#input;
    if (typeof at === "object" && at !== null) return [placementLink(at, decided, asks, report, this.#nameOf)];
    const wanted = at ?? decided?.placements[0]?.machine ?? null;
    return goal === "inactive" ? [] : [unplacedLink(name, wanted, decided, asks, report, this.#nameOf)];
  }

  #commitLink(name: UnitName, unit: SpecUnit | null): CommitLink | null {
    const { snapshot, commit, head, sha256 } = this.#input;
    const { release } = snapshot;
    if (release === null) return null;
    const there = head?.spec.units.find((one) => one.name === name);
    const compared = (): "same" | "changed" | "gone" => {
      if (head === null || there === undefined) return "gone";
      const isSame =
        unit !== null &&
        commit !== null &&
        unit.goal === there.goal &&
        unitHashes(commit.spec, sha256)(unit, null) === unitHashes(head.spec, sha256)(there, null);
      return isSame ? "same" : "changed";
    };
    return {
      link: "commit",
      commit: release.commit,
      release: release.seq,
      by: release.by,
      since: release.at,
      subject: commit?.subject ?? null,
      author: commit?.author ?? null,
      head: head === null ? null : { commit: head.commit, unit: compared() },
    };
  }

  #ringOf(id: MachineId | null): number | null {
    const rings = this.#input.commit?.spec.rings ?? [];
    const machine = this.#machines.find((one) => one.id === id);
    return rings.length === 0 || machine === undefined ? null : ringOf(rings, machine);
  }

  readonly #nameOf = (id: MachineId): string => this.#names.get(id) ?? this.#members.get(id)?.name ?? id;
}

function placeOf(
  goal: UnitGoal,
  placed: PlacedUnit | null,
  machine: MachineId | null,
  decided: Decided | null,
): UnitPlace {
  if (goal === "inactive") return "leaves";
  // Told to stop it, because it goes on to another (protocol rule 27).
  if (placed?.goal === "inactive") return "moves";
  if (decided === null || decided.placements.some((placement) => placement.machine === machine)) return "stays";
  const [other] = decided.placements;
  return other === undefined || other.reason.code === "global" ? "leaves" : "moves";
}

/** Whether the engine has something else in mind for what is here than what the registry has. */
function isToChange(placed: PlacedUnit | null, machine: MachineId | null, { placements }: Decided): boolean {
  const wanted = placements.find((placement) => placement.machine === machine);
  return wanted === undefined || wanted.hash !== placed?.hash || wanted.goal !== placed.goal;
}

function goalOnly(goal: UnitGoal): WhyLink {
  return { link: "goal", goal, because: { code: "unknown" }, instances: null };
}

function toldUnplaced(report: EngineReport | null, unit: UnitName): Unplaced | null {
  return report?.unplaced.find(({ units }) => units.includes(unit)) ?? null;
}

/** The placement the engine makes of what is known now, unit by unit. */
function decider(
  spec: ClusterSpec,
  machines: readonly Machine[],
  { snapshot, planned, sha256 }: WhyInput,
): (unit: SpecUnit) => Decided {
  const current = machinesOfUnits(placedNow(snapshot));
  const { placements, unplaced } = placeUnits({ spec, machines, current, preferred: planned, sha256 });
  const byUnit = Map.groupBy(placements, (placement: Placement) => placement.unit);
  const unplacedOf = new Map(unplaced.flatMap((one) => one.units.map((unit) => [unit, one] as const)));
  const { othersOf } = explainSeats(spec, machines, placements);
  return (unit) => ({
    placements: byUnit.get(unit.name) ?? [],
    unplaced: unplacedOf.get(unit.name) ?? null,
    others: othersOf(unit.group),
  });
}
