import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../src/adapters/sha256.ts";
import type { Machine } from "../src/domain/cluster/machine.ts";
import type { MachineId, UnitName } from "../src/domain/names.ts";
import type { PlacementInput } from "../src/domain/placement/place-groups.ts";
import { placeUnits } from "../src/domain/placement/place-units.ts";
import { UnitPlacer } from "../src/domain/placement/unit-placer.ts";
import { mustRun } from "../src/lab/run-program.ts";
import { cpuMs, type Figures, figuresOf, median, rounded, type Sizes } from "./figures.ts";
import { type PlacementCase, placementCase, withNewcomer } from "./placement-input.ts";

const ROUNDS = 7;
const WARMING = 7;
/** One change takes so little that a single one is a coin tossed. */
const CHANGES = 25;
const PROCESS = fileURLToPath(new URL("./placement-process.ts", import.meta.url));

/**
 * CPU time of placing every unit from scratch, without the compiling, with every constraint in play, in a process that has done so a few
 * times, as an engine has; and of half as many units on half as many machines for the growth. `cold`: the first placement of a fresh
 * process, most of which is V8 compiling it. `oneChange`: of whoever follows the cluster, once everything runs where it was placed.
 */
export async function benchPlacement(sizes: Sizes): Promise<Figures> {
  const [units, machines] = [sizes.units ?? 10_000, sizes.machines ?? 1_000];
  const whole = placementCase(units, machines);
  const half = placementCase(Math.ceil(units / 2), Math.ceil(machines / 2));
  const [warm, warmHalf] = warmed([whole, half]);
  const change = oneChange(whole);
  const [cold, coldHalf] = await freshProcesses([whole, half]);
  return figuresOf(median(warm!), null, "CPU ms", {
    units,
    machines,
    rounds: ROUNDS,
    best: rounded(Math.min(...warm!)),
    growth: growthOf(warm!, warmHalf!, half),
    cold: {
      value: rounded(median(cold!)),
      best: rounded(Math.min(...cold!)),
      growth: growthOf(cold!, coldHalf!, half),
    },
    oneChange: { value: rounded(Math.max(...Object.values(change))), ...change },
  });
}

function growthOf(whole: readonly number[], part: readonly number[], { spec }: PlacementCase) {
  const value = median(part);
  return { fromUnits: spec.units.length, value: rounded(value), ratio: rounded(median(whole) / value) };
}

/** Of each case, taking turns. */
async function freshProcesses(cases: readonly PlacementCase[]): Promise<readonly (readonly number[])[]> {
  const folder = mkdtempSync(join(tmpdir(), "fleet-bench-"));
  try {
    const files = cases.map((one, index) => {
      writeFileSync(join(folder, `${index}.json`), JSON.stringify(one));
      return join(folder, `${index}.json`);
    });
    const times = cases.map((): number[] => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, file] of files.entries()) {
        const { spent, units } = JSON.parse(await mustRun([process.execPath, PROCESS, file]));
        if (units !== cases[index]!.spec.units.length) throw new Error(`${units} units were placed`);
        times[index]!.push(spent);
      }
    }
    return times;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of each case, taking turns, once the process has placed all of them a few times. */
function warmed(cases: readonly PlacementCase[]): readonly (readonly number[])[] {
  const times = cases.map((): number[] => []);
  for (let round = 0; round < WARMING + ROUNDS; round++) {
    for (const [index, { spec, machines }] of cases.entries()) {
      // Another value of the spec, or hashes would be remembered.
      const input = { spec: { ...spec }, machines, current: new Map(), preferred: new Map(), sha256 };
      times[index]!.push(cpuMs(() => placeUnits(input)));
    }
  }
  return times.map((all) => all.slice(WARMING));
}

/** Medians by what happens: a unit comes, it goes, it is where it was placed, a machine is lost with all that runs there, it is back. */
function oneChange({ spec, machines }: PlacementCase): Record<string, number> {
  const placer = new UnitPlacer(sha256);
  const first = placer.place({ spec, machines, current: new Map(), preferred: new Map() });
  const current = new Map<UnitName, readonly MachineId[]>(
    first.placements.map(({ unit, machine }) => [unit, [machine]]),
  );
  const settled: PlacementInput = { spec, machines, current, preferred: new Map() };
  placer.place(settled);
  const grown = { ...settled, spec: withNewcomer(spec) };
  const lost = {
    ...settled,
    machines: machines.map((machine, at): Machine => (at === 1 ? { ...machine, presence: "lost" } : machine)),
  };
  const times: Record<string, number[]> = { come: [], ran: [], gone: [], lost: [], back: [] };
  const take = (what: string, input: PlacementInput) => {
    const time = cpuMs(() => placer.place(input));
    times[what]!.push(time);
  };
  for (let round = 0; round < CHANGES * 2; round++) {
    take("come", grown);
    const place = placer.place(grown).placements.find(({ unit }) => unit === "newcomer.service");
    if (place === undefined) throw new Error("the newcomer was not placed");
    take("ran", { ...grown, current: new Map([...current, [place.unit, [place.machine]]]) });
    take("gone", settled);
    take("lost", lost);
    take("back", settled);
  }
  return Object.fromEntries(Object.entries(times).map(([what, all]) => [what, rounded(median(all.slice(CHANGES)))]));
}
