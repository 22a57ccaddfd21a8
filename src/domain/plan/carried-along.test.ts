import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf } from "../../../test/property/generators/cluster.ts";
import type { UnitHash, UnitName } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec, UnitGoal } from "../spec/cluster-spec.ts";
import { carriedAlong } from "./carried-along.ts";
import type { Effect } from "./plan.ts";

/** name, what it says in [Unit], machine number, goal. */
type Row = readonly [string, string, number, UnitGoal?];

const CASES: readonly {
  readonly says: string;
  readonly units: readonly Row[];
  readonly changes: readonly (readonly [string, Effect, number])[];
  readonly carried: readonly string[];
}[] = [
  {
    says: "what requires a unit that restarts, restarts",
    units: [
      ["db.service", "", 0],
      ["web.service", "Requires=db.service", 0],
    ],
    changes: [["db.service", "restart", 0]],
    carried: ["web.service 0 with db.service"],
  },
  {
    says: "wanting it or coming after it is no reason",
    units: [
      ["db.service", "", 0],
      ["web.service", "Wants=db.service\nAfter=db.service", 0],
    ],
    changes: [["db.service", "restart", 0]],
    carried: [],
  },
  {
    says: "through others, each named with where it began",
    units: [
      ["db.service", "", 0],
      ["api.service", "BindsTo=db.service", 0],
      ["web.service", "PartOf=api.service", 0],
    ],
    changes: [["db.service", "restart", 0]],
    carried: ["api.service 0 with db.service", "web.service 0 with db.service"],
  },
  {
    says: "the one that stops may say itself whom it takes along",
    units: [
      ["net.service", "PropagatesStopTo=web.service", 0],
      ["web.service", "", 0],
    ],
    changes: [["net.service", "restart", 0]],
    carried: ["web.service 0 with net.service"],
  },
  {
    says: "an instance by its own specifier",
    units: [
      ["db@1.service", "", 0],
      ["web@1.service", "Requires=db@%i.service", 0],
      ["web@2.service", "Requires=db@%i.service", 0],
    ],
    changes: [["db@1.service", "restart", 0]],
    carried: ["web@1.service 0 with db@1.service"],
  },
  {
    says: "only on the machine where it stops",
    units: [
      ["db.service", "", 0],
      ["web.service", "PartOf=db.service", 1],
    ],
    changes: [["db.service", "restart", 0]],
    carried: [],
  },
  {
    says: "what changes by itself is not carried a second time, and what is only loaded does not run",
    units: [
      ["db.service", "", 0],
      ["web.service", "Requires=db.service", 0],
      ["job.service", "Requires=db.service", 0, "loaded"],
    ],
    changes: [
      ["db.service", "restart", 0],
      ["web.service", "restart", 0],
    ],
    carried: [],
  },
  {
    says: "reloads and quiet changes take nobody along, and a quiet one does not save a unit from being taken",
    units: [
      ["db.service", "", 0],
      ["web.service", "Requires=db.service", 0],
      ["x.service", "Requires=web.service", 0],
    ],
    changes: [
      ["db.service", "restart", 0],
      ["x.service", "quiet", 0],
    ],
    carried: ["web.service 0 with db.service", "x.service 0 with db.service"],
  },
  {
    says: "what needs a unit that goes goes down with it and stays down, and so does what needs that; what is only part of it comes back",
    units: [
      ["api.service", "Requires=web.service", 0],
      ["part.service", "PartOf=db.service", 0],
      ["web.service", "Requires=db.service", 0],
    ],
    changes: [["db.service", "stop", 0]],
    carried: [
      "api.service 0 down with db.service",
      "part.service 0 with db.service",
      "web.service 0 down with db.service",
    ],
  },
  {
    says: "the service of a socket that opens anew, also where only the socket starts it; not that of a socket that goes",
    units: [
      ["echo.socket", "", 0],
      ["echo.service", "", 0, "loaded"],
      ["new.socket", "", 0],
      ["new.service", "", 0],
      ["old.service", "", 0],
    ],
    changes: [
      ["echo.socket", "restart", 0],
      ["new.socket", "start", 0],
      ["old.socket", "stop", 0],
    ],
    carried: ["echo.service 0 with echo.socket", "new.service 0 with new.socket"],
  },
];

for (const { says, units, changes, carried } of CASES) {
  test(says, () => {
    const spec = specWith(units);
    const placements = units.map(
      ([unit, , machine, goal = "launched"]): Placement => ({
        ...side(machine, goal),
        unit: unit as UnitName,
        reason: { code: "stayed" },
      }),
    );
    const found = carriedAlong(
      changes.map(([unit, effect, machine]) => {
        const here = side(machine, "launched");
        const [from, to] = [effect === "start" ? null : here, effect === "stop" ? null : here];
        return { unit: unit as UnitName, effect, from, to };
      }),
      placements,
      spec,
    );
    assert.deepEqual(
      found.map((one) => `${one.unit} ${Number(one.side.machine)}${one.comesBack ? "" : " down"} with ${one.with}`),
      carried,
    );
  });
}

function side(machine: number, goal: UnitGoal) {
  return { machine: machineId(machine), hash: "h" as UnitHash, goal };
}

function specWith(rows: readonly Row[]): ClusterSpec {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  const spec = specOf(
    rows.map(([name, , , goal = "launched"], group) => ({
      name,
      group,
      global: false,
      goal,
      ...constraints,
      move: "auto",
      text: "",
    })),
  );
  const texts = new Map(rows.map(([name, text]) => [name as UnitName, `[Unit]\n${text}\n`]));
  const units = spec.units.map((unit) => ({ ...unit, fragment: { path: unit.name, text: texts.get(unit.name)! } }));
  return { ...spec, units };
}
