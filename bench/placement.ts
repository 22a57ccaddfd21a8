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
/** One change takes so little that a single one is a coin tossed. */
const CHANGES = 25;
const PROCESS = fileURLToPath(new URL("./placement-process.ts", import.meta.url));

/**
 * CPU time of placing every unit from scratch, without the compiling, with every constraint in play: the first placement of a fresh
 * process, and of half as many units on half as many machines for the growth; `warm`: of a process that has done so before;
 * `oneChange`: of whoever follows the cluster, once everything runs where it was placed.
 */
export async function benchPlacement(sizes: Sizes): Promise<Figures> {
  const [units, machines] = [sizes.units ?? 10_000, sizes.machines ?? 1_000];
  const whole = placementCase(units, machines);
  const half = placementCase(Math.ceil(units / 2), Math.ceil(machines / 2));
  const times = await freshProcesses([whole, half]);
  const [cold, coldHalf] = [median(times[0]!), median(times[1]!)];
  const change = oneChange(whole);
  return figuresOf(cold, null, "CPU ms", {
    units,
    machines,
    rounds: ROUNDS,
    best: rounded(Math.min(...times[0]!)),
    warm: rounded(warm(whole)),
    growth: { fromUnits: Math.ceil(units / 2), value: rounded(coldHalf), ratio: rounded(cold / coldHalf) },
    oneChange: { value: rounded(Math.max(...Object.values(change))), ...change },
  });
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

function warm({ spec, machines }: PlacementCase): number {
  // Another value of the spec, or hashes would be remembered.
  const place = () => placeUnits({ spec: { ...spec }, machines, current: new Map(), preferred: new Map(), sha256 });
  return median(Array.from({ length: ROUNDS * 2 }, () => cpuMs(place)).slice(ROUNDS));
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
