import type { Machine } from "../../../src/domain/cluster/machine.ts";
import type { Resources } from "../../../src/domain/cluster/resources.ts";
import type { Selector } from "../../../src/domain/cluster/selector.ts";
import type { GroupName, MachineId, SpecHash, UnitName } from "../../../src/domain/names.ts";
import type { ClusterSpec, Group, ReplacePolicy, SpecUnit, UnitGoal } from "../../../src/domain/spec/cluster-spec.ts";
import type { Spread } from "../../../src/domain/unit/fleet-options.ts";
import * as fc from "../fast-check.ts";

/** The part of a unit that placement looks at; `specOf` writes the rest out. */
export interface UnitSketch {
  readonly name: string;
  /** Units with the same number live together. */
  readonly group: number;
  readonly global: boolean;
  readonly goal: UnitGoal;
  readonly machineId: string | null;
  readonly machineMetadata: readonly Selector[];
  readonly conflicts: readonly string[];
  readonly replaces: readonly string[];
  readonly move: "auto" | "never";
  readonly text: string;
  /** Thousandths of a core, and bytes. */
  readonly requests?: Resources | undefined;
  readonly spread?: Spread | undefined;
  readonly maxPerMachine?: number | undefined;
  readonly replace?: ReplacePolicy | undefined;
}

/** Six machines at most: enough for every tie, few enough that conflicts and constraints meet in every run. */
export const machines = fc
  .array(
    fc.record({
      role: fc.constantFrom("web", "db", null),
      zone: fc.constantFrom("a", "b", null),
      drain: weighted(fc.boolean(), 0.2),
      cordon: weighted(fc.boolean(), 0.1),
      presence: fc.constantFrom<Machine["presence"]>("present", "present", "present", "absent", "lost"),
      graces: fc.constantFrom(undefined, { cluster: true, ownMs: 60_000 }, { cluster: false, ownMs: 15_000 }),
      flapping: weighted(fc.constant(true as const), 0.1),
      refused: weighted(fc.boolean(), 0.1),
      capacity: fc.constantFrom(undefined, undefined, { cpuMilli: 3, memoryBytes: 4 }, { cpuMilli: 1, memoryBytes: 9 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((sketches) =>
    sketches.map(
      ({ role, zone, drain, cordon, presence, graces, flapping, refused, capacity }, index): Machine => ({
        id: machineId(index),
        name: `m${(index * 5) % 7}`,
        address: "",
        metadata: { ...(role === null ? {} : { role }), ...(zone === null ? {} : { zone }) },
        drain: drain === true,
        cordon: cordon === true,
        presence,
        presenceRevision: presence === "present" ? 1 : 0,
        admitted: refused !== true,
        ...(capacity === undefined ? {} : { capacity }),
        ...(presence === "lost" && graces !== undefined ? { graces } : {}),
        ...(flapping === null ? {} : { flapping: true as const }),
      }),
    ),
  );

function weighted(arbitrary: fc.Arbitrary<boolean>, share: number): fc.Arbitrary<boolean | null> {
  return fc.option(arbitrary, { nil: null, freq: Math.round(share * 10) });
}

export function machineId(index: number): MachineId {
  return index.toString(16).padStart(32, "0") as MachineId;
}

const NAMES = ["a", "b", "c", "d", "e", "f", "web@1", "web@2", "web@3", "web@4"].map((name) => `${name}.service`);

const globs = (names: readonly string[]) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant<readonly string[]>([]) },
    {
      weight: 2,
      arbitrary: fc.array(fc.constantFrom(...names, "web@*.service", "[a-c].service", "?.service"), { maxLength: 2 }),
    },
  );

const selectors = fc.oneof(
  { weight: 4, arbitrary: fc.constant<readonly Selector[]>([]) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<readonly Selector[]>(
      [{ kind: "metadata", key: "role", values: ["web"] }],
      [{ kind: "metadata", key: "role", values: ["db", "web"] }],
      [
        { kind: "metadata", key: "role", values: ["db"] },
        { kind: "metadata", key: "zone", values: ["a"] },
      ],
    ),
  },
);

const SPREADS: readonly Spread[] = [
  { key: "zone", hard: false },
  { key: "zone", hard: true },
  { key: "role", hard: false },
];

/** Distinct units; `Replaces=` only names units of later groups, because circles are refused when a commit is compiled. */
export const unitSketches: fc.Arbitrary<readonly UnitSketch[]> = fc
  .uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: NAMES.length })
  .chain((names) =>
    fc.tuple(
      ...[...names].sort().map((name) =>
        fc.record({
          name: fc.constant(name),
          group: fc.nat({ max: 5 }),
          global: fc.constantFrom(false, false, false, true),
          goal: fc.constantFrom<UnitGoal>("launched", "launched", "loaded", "inactive"),
          machineId: fc.constantFrom(null, null, null, null, "m0", "m5", machineId(2)),
          machineMetadata: selectors,
          conflicts: globs(names),
          replaces: fc.subarray(names, { maxLength: 1 }),
          move: fc.constantFrom<"auto" | "never">("auto", "auto", "auto", "never"),
          text: fc.constantFrom("one", "two"),
          requests: fc.constantFrom(
            undefined,
            undefined,
            { cpuMilli: 1, memoryBytes: 2 },
            { cpuMilli: 2, memoryBytes: 0 },
          ),
          spread: fc.constantFrom(undefined, undefined, undefined, ...SPREADS),
          maxPerMachine: fc.constantFrom(undefined, undefined, undefined, 1, 2),
          replace: fc.constantFrom<ReplacePolicy | undefined>(
            ...[undefined, undefined, undefined, "no" as const, { afterMs: 15_000 }, { afterMs: 600_000 }],
          ),
        }),
      ),
    ),
  )
  .map((sketches) => {
    const groups = new Map(sketches.map((sketch) => [sketch.name, sketch.group]));
    return sketches.map((sketch) => ({
      ...sketch,
      replaces: sketch.replaces.filter((other) => groups.get(other)! > sketch.group),
    }));
  });

/** Writes a spec out. The first unit of a group says whether it is global and whether it moves. */
export function specOf(sketches: readonly UnitSketch[]): ClusterSpec {
  const sorted = [...sketches].sort((a, b) => (a.name < b.name ? -1 : 1));
  const first = new Map<string, UnitSketch>();
  const keyOf = (sketch: UnitSketch) => `${sketch.global}/${sketch.group}`;
  for (const sketch of sorted) if (!first.has(keyOf(sketch))) first.set(keyOf(sketch), sketch);
  const groupOf = (sketch: UnitSketch) => first.get(keyOf(sketch))!.name as GroupName;
  const groups = [...first.values()].map(
    (leader): Group => ({
      name: leader.name as GroupName,
      units: sorted.filter((sketch) => groupOf(sketch) === leader.name).map((sketch) => sketch.name as UnitName),
      global: leader.global,
      ties: [],
      move: leader.move,
      localState: [],
    }),
  );
  return {
    cluster: "test",
    specHash: JSON.stringify(sorted) as SpecHash,
    units: sorted.map((sketch) => specUnit(sketch, groupOf(sketch))),
    groups: groups.sort((a, b) => (a.name < b.name ? -1 : 1)),
    machines: [],
    admit: "any",
    loss: { agentTtlMs: 30_000, graceMs: 60_000 },
  };
}

function specUnit(sketch: UnitSketch, group: GroupName): SpecUnit {
  return {
    name: sketch.name as UnitName,
    service: sketch.name as UnitName,
    kind: "systemd",
    template: null,
    goal: sketch.goal,
    fragment: { path: `units/${sketch.name}`, text: `[Service]\nExecStart=/bin/${sketch.text}\n` },
    dropins: [],
    companions: [],
    options: {
      global: sketch.global,
      machineId: sketch.machineId,
      machineOf: [],
      machineMetadata: sketch.machineMetadata,
      conflicts: sketch.conflicts,
      replaces: sketch.replaces,
      group: "auto",
      move: sketch.move,
      ...(sketch.spread === undefined ? {} : { spread: sketch.spread }),
      ...(sketch.maxPerMachine === undefined ? {} : { maxPerMachine: sketch.maxPerMachine }),
    },
    ...(sketch.requests === undefined ? {} : { requests: sketch.requests }),
    ...(sketch.replace === undefined ? {} : { replace: sketch.replace }),
    group,
    after: [],
    rollout: { maxUnavailable: 1, minHealthyTimeMs: 0, healthDeadlineMs: 60_000 },
  };
}

/** Where units may be now: any of the machines, and one that has left the cluster. */
export function currentOf(
  sketches: readonly UnitSketch[],
  known: readonly Machine[],
): fc.Arbitrary<ReadonlyMap<UnitName, readonly MachineId[]>> {
  const ids = [...known.map((machine) => machine.id), machineId(99)];
  return fc
    .tuple(
      ...sketches.map((sketch) =>
        sketch.global
          ? fc.subarray(ids)
          : fc.oneof(
              fc.constant([]),
              fc.constantFrom(...ids).map((id) => [id]),
              fc.constantFrom(...ids).map((id) => [id]),
            ),
      ),
    )
    .map(
      (lists) =>
        new Map(lists.flatMap((list, index) => (list.length === 0 ? [] : [[sketches[index]!.name as UnitName, list]]))),
    );
}

/** Whatever plan a release may have left behind. */
export function preferredOf(
  sketches: readonly UnitSketch[],
  known: readonly Machine[],
): fc.Arbitrary<ReadonlyMap<UnitName, MachineId>> {
  const ids = known.map((machine) => machine.id);
  return fc
    .array(fc.tuple(fc.constantFrom(...sketches.map((sketch) => sketch.name as UnitName)), fc.constantFrom(...ids)), {
      maxLength: 6,
    })
    .map((pairs) => new Map(pairs));
}

/** A whole input of `placeGroups`, and the sketches it was made of. */
export const placementCases = fc
  .tuple(unitSketches, machines)
  .chain(([sketches, known]) =>
    fc.record({
      sketches: fc.constant(sketches),
      machines: fc.constant(known),
      current: currentOf(sketches, known),
      preferred: preferredOf(sketches, known),
    }),
  )
  .map((input) => ({ ...input, spec: specOf(input.sketches) }));
