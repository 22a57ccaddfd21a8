import type { UnitHash, UnitName } from "../domain/names.ts";
import type { EffectOf } from "../domain/tasks/effect-here.ts";
import type { InstalledFile, ObservedUnit, WantedUnit } from "../domain/tasks/task.ts";
import { effectOfFiles } from "../domain/unit/unit-effect.ts";
import type { AgentFiles } from "./agent-files.ts";
import { AS_FOUND } from "./as-found.ts";
import type { FileDrift } from "./drifted-files.ts";

/**
 * What the changes this machine may be about to make do to its units, from the texts it has accepted. A text it has no more means
 * restart.
 */
export async function knownEffects(
  wanted: readonly WantedUnit[],
  observed: Iterable<ObservedUnit>,
  files: AgentFiles,
  drifts: ReadonlyMap<UnitName, FileDrift>,
): Promise<EffectOf> {
  const texts = new Map<UnitHash, readonly InstalledFile[]>(wanted.map((unit) => [unit.hash, unit.files]));
  for (const unit of observed) {
    for (const hash of [unit.onDisk, unit.loaded, unit.running, unit.started]) {
      if (hash === null || hash === AS_FOUND || texts.has(hash)) continue;
      const stored = await files.readUnit(hash);
      if (stored !== null) texts.set(hash, stored.files);
    }
  }
  return (unit, from, to, of) => {
    const before = from === AS_FOUND ? drifts.get(unit)?.files : texts.get(from);
    const after = texts.get(to);
    if (before == null || after === undefined) return "restart";
    const [old, next] = of === "text" ? [ownText(before), ownText(after)] : [before, after];
    return effectOfFiles(unit, old, next).effect;
  };
}

function ownText(files: readonly InstalledFile[]): readonly InstalledFile[] {
  return files.filter(({ delivery }) => delivery === undefined);
}
