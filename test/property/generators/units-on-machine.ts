import type { UnitHash, UnitName } from "../../../src/domain/names.ts";
import type { UnitGoal } from "../../../src/domain/spec/cluster-spec.ts";
import type { EffectOf } from "../../../src/domain/tasks/effect-here.ts";
import type { ObservedUnit, WantedUnit } from "../../../src/domain/tasks/task.ts";
import { UNIT_EFFECTS } from "../../../src/domain/unit/unit-effect.ts";
import * as fc from "../fast-check.ts";

const NAMES = ["a.service", "b.service", "c.socket", "d.service", "e.timer", "f.service"] as UnitName[];
export const HASHES = ["h1", "h2", "h3"] as UnitHash[];

/** A unit that ends at once with success is a oneshot, one that fails at start always fails. */
export type Behaviour = "runs" | "ends" | "fails";

export interface MachineCase {
  readonly wanted: readonly WantedUnit[];
  readonly observed: readonly ObservedUnit[];
  readonly behaviour: ReadonlyMap<UnitName, Behaviour>;
  readonly effectOf: EffectOf;
}

const wantedUnit = (name: UnitName) =>
  fc
    .record({
      goal: fc.constantFrom<UnitGoal>("launched", "launched", "loaded"),
      hash: fc.constantFrom(...HASHES),
      after: fc.subarray(NAMES, { maxLength: 2 }),
      requires: fc.option(fc.constantFrom(...NAMES), { freq: 2 }),
      behaviour: fc.constantFrom<Behaviour>("runs", "runs", "ends", "fails"),
    })
    .map(({ goal, hash, after, requires, behaviour }) => ({
      behaviour,
      wanted: {
        name,
        service: name,
        goal,
        hash,
        after,
        oneshot: behaviour === "ends",
        files: [{ path: name, text: `[Unit]\n${requires === null ? "" : `Requires=${requires}\n`}` }],
      } satisfies WantedUnit,
    }));

/** States an agent can meet: nothing, its own unit at any point of an update, somebody else's unit, one shadowed by /etc. */
const observedUnit = (name: UnitName) =>
  fc
    .record({
      owner: fc.constantFrom("fleet", "fleet", "fleet", "nobody", "foreign", "shadowed", "forgotten"),
      onDisk: fc.constantFrom(null, ...HASHES),
      loaded: fc.constantFrom(...HASHES),
      isLoadedOld: fc.boolean(),
      started: fc.constantFrom(null, ...HASHES),
      active: fc.constantFrom("active", "active", "inactive", "failed", "activating", null),
    })
    .map(({ owner, onDisk, loaded, isLoadedOld, started, active }): ObservedUnit => {
      const nothing = { name, service: name, owned: false, onDisk: null, loaded: null, running: null, started: null };
      if (owner === "nobody") return { ...nothing, systemd: null };
      const isForeign = owner === "foreign" || owner === "shadowed";
      const fragmentPath = `${isForeign ? "/etc" : "/run"}/systemd/system/${name}`;
      const held = { load: "loaded", active: active ?? "active", sub: "", fragmentPath };
      if (owner === "foreign") return { ...nothing, systemd: held };
      if (owner === "shadowed") return { ...nothing, owned: true, onDisk, systemd: held };
      if (owner === "forgotten")
        return { ...nothing, onDisk: onDisk ?? loaded, systemd: active === null ? null : held };
      const isUp = active === "active" || active === "activating";
      const inSystemd = isLoadedOld || onDisk === null ? loaded : onDisk;
      return {
        name,
        service: name,
        owned: true,
        onDisk,
        loaded: active === null ? onDisk : inSystemd,
        running: isUp ? inSystemd : null,
        started,
        systemd: active === null ? null : held,
      };
    });

/**
 * Between each two of three texts, the same there and back. What differs between two of them differs between the third and one of
 * them: the worst effect comes twice.
 */
const effects: fc.Arbitrary<EffectOf> = fc
  .record({ worst: fc.nat(UNIT_EFFECTS.length - 1), other: fc.nat(UNIT_EFFECTS.length - 1), odd: fc.nat(2) })
  .map(({ worst, other, odd }) => (_, from, to) => {
    if (from === to) return "quiet";
    const isOdd = HASHES.findIndex((hash) => hash !== from && hash !== to) === odd;
    return UNIT_EFFECTS[isOdd ? Math.max(worst, other) : worst]!;
  });

export const machineCases: fc.Arbitrary<MachineCase> = fc
  .tuple(fc.subarray(NAMES), fc.subarray(NAMES))
  .chain(([wantedNames, observedNames]) =>
    fc.tuple(fc.tuple(...wantedNames.map(wantedUnit)), fc.tuple(...observedNames.map(observedUnit)), effects),
  )
  .map(([units, observed, effectOf]) => ({
    effectOf,
    wanted: units.map((unit) => unit.wanted),
    observed,
    behaviour: new Map(units.map((unit) => [unit.wanted.name, unit.behaviour])),
  }));
