import type { MachineId, UnitName } from "../names.ts";
import type { Wave } from "./wave.ts";

/** A wave of a plan, counted from 1. */
export interface WaveReached {
  readonly number: number;
  readonly of: number;
}

/** The first wave that has something which is not as wanted yet; null: none has. A unit without a machine is not placed yet, wherever it is to be. */
export function waveReached(
  waves: readonly Pick<Wave, "changes">[],
  notYet: readonly { readonly unit: UnitName; readonly machine: MachineId | null }[],
): WaveReached | null {
  const keys = new Set(notYet.map(({ unit, machine }) => (machine === null ? unit : `${unit}/${machine}`)));
  const index = waves.findIndex(({ changes }) =>
    changes.some(({ unit, machine }) => keys.has(unit) || keys.has(`${unit}/${machine}`)),
  );
  return index < 0 ? null : { number: index + 1, of: waves.length };
}
