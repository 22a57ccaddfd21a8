import type { Machine } from "../../../src/domain/cluster/machine.ts";
import type { GroupName, MachineId, SpecHash, UnitHash, UnitName } from "../../../src/domain/names.ts";
import type { PlacedSide } from "../../../src/domain/placement/placed-now.ts";
import type { Placement } from "../../../src/domain/placement/placement.ts";
import type { Effect } from "../../../src/domain/plan/plan.ts";
import type { BaseVersions } from "../../../src/domain/rollout/base-versions.ts";
import type { RolloutChange, RolloutInput } from "../../../src/domain/rollout/plan-rollout.ts";
import type { Canary, ClusterSpec, SpecUnit } from "../../../src/domain/spec/cluster-spec.ts";
import { unitNameParts } from "../../../src/domain/unit/unit-name.ts";
import * as fc from "../fast-check.ts";

/** What may make a case hard; without it, what is promised is more. */
export interface Hardship {
  /** Machines that are away, units that do not run, units that fit nowhere. */
  readonly losses: boolean;
  /** Groups of several units, on whichever machines. */
  readonly groups: boolean;
  readonly conflicts: boolean;
  /** Sets of which some change first, or only so many at once. */
  readonly canaries?: boolean;
}

const MACHINES = ["m0", "m1", "m2", "m3", "m4"] as MachineId[];
const SINGLES = ["a", "b", "c", "api@1", "api@2", "api@3", "web@1", "web@2", "web@3", "web@4"];
const NAMES = [...SINGLES, "g", "h"].map((name) => `${name}.service` as UnitName);
const STAYING: readonly (Effect | null)[] = [null, "restart", "restart", "reload", "daemon-reload", "quiet", "stop"];
const COMING: readonly Effect[] = ["start", "start", "quiet", "adopt"];

interface Sketch {
  readonly name: UnitName;
  readonly fate: "kept" | "new" | "gone" | "unplaced" | "inactive";
  readonly home: MachineId;
  readonly next: MachineId;
  /** Of a global unit, where it is before and after. */
  readonly homes: readonly MachineId[];
  readonly nexts: readonly MachineId[];
  readonly staying: Effect | null;
  readonly coming: Effect;
  readonly max: number;
  readonly group: number;
  readonly after: readonly UnitName[];
  readonly conflicts: readonly string[];
  readonly canary: Canary | null;
  readonly bakeMs: number;
  readonly maxParallel: number | null;
}

const CANARIES: readonly (Canary | null)[] = [
  null,
  { count: 1 },
  { count: 1 },
  { count: 2 },
  { match: { kind: "machine", nameOrId: "m1" } },
  { match: { kind: "metadata", key: "parity", values: ["odd"] } },
];

export function rolloutInputs({ losses, groups, conflicts, canaries = false }: Hardship): fc.Arbitrary<RolloutInput> {
  const fates: readonly Sketch["fate"][] = ["kept", "kept", "kept", "new", "gone", "inactive"];
  const sketch = (name: UnitName, earlier: readonly UnitName[]): fc.Arbitrary<Sketch> =>
    fc.record({
      name: fc.constant(name),
      fate: fc.constantFrom(...fates, ...(losses ? (["unplaced"] as const) : [])),
      home: fc.constantFrom(...MACHINES),
      next: fc.constantFrom(...MACHINES),
      homes: fc.subarray(MACHINES),
      nexts: fc.subarray(MACHINES, { minLength: 1 }),
      staying: fc.constantFrom(...STAYING),
      coming: fc.constantFrom(...COMING),
      max: fc.constantFrom(1, 1, 1, 2),
      group: groups ? fc.nat({ max: 6 }) : fc.constant(NAMES.indexOf(name)),
      after: fc.subarray([...earlier], { maxLength: Math.min(3, earlier.length) }),
      conflicts: conflicts ? fc.constantFrom([], [], ["web@*.service"], ["[a-c].service"]) : fc.constant([]),
      canary: canaries ? fc.constantFrom(...CANARIES) : fc.constant(null),
      bakeMs: fc.constantFrom(0, 60_000, 600_000),
      maxParallel: canaries ? fc.constantFrom(null, null, 1, 2) : fc.constant(null),
    });
  const sketches = fc
    .shuffledSubarray(NAMES, { minLength: 1 })
    .chain((names) => fc.tuple(...names.map((name, index) => sketch(name, names.slice(0, index)))));
  return fc
    .tuple(
      sketches,
      losses ? fc.subarray(MACHINES, { maxLength: 2 }) : fc.constant([]),
      losses ? fc.subarray(NAMES, { maxLength: 4 }) : fc.constant([]),
      fc.boolean(),
    )
    .map(([list, away, down, isKnown]) => inputOf(list, new Set(away), new Set(down), isKnown));
}

function inputOf(
  sketches: readonly Sketch[],
  away: ReadonlySet<MachineId>,
  down: ReadonlySet<UnitName>,
  isKnown: boolean,
): RolloutInput {
  const before = new Map<UnitName, readonly PlacedSide[]>();
  const after: Placement[] = [];
  const changes: RolloutChange[] = [];
  for (const sketch of sketches) {
    const own = changesOf(sketch);
    const was = homesOf(sketch);
    if (was.length > 0)
      before.set(
        sketch.name,
        was.map((machine) => sideOf(machine, "old")),
      );
    for (const machine of nextsOf(sketch)) {
      const to = own.find((change) => change.to?.machine === machine)?.to ?? sideOf(machine, "old");
      after.push({ unit: sketch.name, ...to, reason: { code: "stayed" } });
    }
    changes.push(...own);
  }
  return {
    spec: specOf(sketches.filter((sketch) => sketch.fate !== "gone")),
    released: isKnown ? specOf(sketches.filter((sketch) => sketch.fate !== "new")) : null,
    before,
    after,
    changes,
    isAway: (machine) => away.has(machine),
    stateOf: (unit) => (down.has(unit) ? "down" : "up"),
    canaries: { base: baseOf(sketches), machines: MACHINES.map(machineOf), isBaked: () => false },
  };
}

/** What is not new is there by the base, in the old version on every machine. */
function baseOf(sketches: readonly Sketch[]): BaseVersions {
  const spec = specOf(sketches.filter((sketch) => sketch.fate !== "new"));
  const units = new Map(spec.units.map((unit) => [unit.name, unit]));
  const old = { hash: "old" as UnitHash, goal: "launched" as const };
  return { isKnown: true, unit: (name) => units.get(name) ?? null, on: (name) => (units.has(name) ? old : null) };
}

function machineOf(id: MachineId, index: number): Machine {
  return {
    id,
    name: id,
    address: "",
    metadata: { parity: index % 2 === 0 ? "even" : "odd" },
    drain: false,
    cordon: false,
    presence: "present",
    presenceRevision: 1,
    admitted: true,
  };
}

function isGlobal({ name }: Sketch): boolean {
  return name === "g.service" || name === "h.service";
}

function homesOf(sketch: Sketch): readonly MachineId[] {
  if (sketch.fate === "new") return [];
  return isGlobal(sketch) ? sketch.homes : [sketch.home];
}

function nextsOf(sketch: Sketch): readonly MachineId[] {
  if (sketch.fate !== "kept" && sketch.fate !== "new") return [];
  return isGlobal(sketch) ? sketch.nexts : [sketch.next];
}

function changesOf(sketch: Sketch): RolloutChange[] {
  const unit = sketch.name;
  const reason = { code: "goal-changed" } as const;
  const [was, will] = [homesOf(sketch), nextsOf(sketch)];
  if (!isGlobal(sketch) && was.length > 0 && will.length > 0 && was[0] !== will[0]) {
    return [{ unit, effect: "move", from: sideOf(was[0]!, "old"), to: sideOf(will[0]!, "new"), reason }];
  }
  const stay = sketch.staying;
  return [
    ...will.flatMap((machine): RolloutChange[] => {
      const to = sideOf(machine, "new");
      if (!was.includes(machine)) return [{ unit, effect: sketch.coming, from: null, to, reason }];
      return stay === null ? [] : [{ unit, effect: stay, from: sideOf(machine, "old"), to, reason }];
    }),
    ...was
      .filter((machine) => !will.includes(machine))
      .map((machine): RolloutChange => ({ unit, effect: "stop", from: sideOf(machine, "old"), to: null, reason })),
  ];
}

function sideOf(machine: MachineId, hash: string): PlacedSide {
  return { machine, hash: hash as UnitHash, goal: "launched" };
}

function specOf(sketches: readonly Sketch[]): ClusterSpec {
  const keyOf = (sketch: Sketch) => `${isGlobal(sketch) ? "global" : "single"}-${sketch.group}` as GroupName;
  const members = Map.groupBy(sketches, keyOf);
  return {
    cluster: "test",
    specHash: "hash" as SpecHash,
    units: sketches.map((sketch) => unitOf(sketch, keyOf(sketch))),
    groups: [...members].map(([name, list]) => ({
      name,
      units: list.map((sketch) => sketch.name).sort(),
      global: isGlobal(list[0]!),
      ties: [],
      move: "auto",
      localState: [],
    })),
    machines: [],
    admit: "any",
    loss: { agentTtlMs: 30_000, graceMs: 60_000 },
  };
}

function unitOf(sketch: Sketch, group: GroupName): SpecUnit {
  const { name, fate, after, max, conflicts, canary, bakeMs, maxParallel } = sketch;
  return {
    name,
    service: name,
    kind: "systemd",
    template: unitNameParts(name).template,
    goal: fate === "inactive" ? "inactive" : "launched",
    fragment: { path: name, text: "" },
    dropins: [],
    companions: [],
    options: {
      global: isGlobal(sketch),
      machineId: null,
      machineOf: [],
      machineMetadata: [],
      conflicts,
      replaces: [],
      group: "auto",
      move: "auto",
    },
    group,
    after,
    rollout: {
      maxUnavailable: max,
      minHealthyTimeMs: 0,
      healthDeadlineMs: 60_000,
      ...(canary === null ? {} : { canary, bakeMs }),
      ...(maxParallel === null ? {} : { maxParallel }),
    },
  };
}
