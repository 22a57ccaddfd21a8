import { compareText, type UnitName } from "../names.ts";
import type { InstalledFile } from "../tasks/task.ts";
import { changedDirectives } from "./changed-directives.ts";
import { effectInContext } from "./effect-in-context.ts";
import { deliveredCauses } from "./effect-of-delivered.ts";
import { type EffectiveUnit, effectiveUnit } from "./effective-unit.ts";
import { parseUnitFile } from "./parse-unit-file.ts";

/**
 * What a change of a unit's files does to it where it runs; worst first, and each does what the milder ones do. `restart`: its processes
 * must go and come again. `reload`: its own reload applies it. `daemon-reload`: systemd must read it again, no process is
 * touched. `quiet`: nobody notices.
 */
export type UnitEffect = (typeof UNIT_EFFECTS)[number];
export const UNIT_EFFECTS = ["restart", "reload", "daemon-reload", "quiet"] as const;

/** A directive whose effective value differs, or a file or secret the unit reads (`FILES_CAUSE`, `SECRETS_CAUSE`), and what that alone would do. */
export interface EffectCause {
  readonly section: string;
  readonly key: string;
  readonly effect: UnitEffect;
}

export interface FilesEffect {
  readonly effect: UnitEffect;
  /** Worst first, then by section and key; empty where only comments or order differ, or a file cannot be read. */
  readonly causes: readonly EffectCause[];
}

/**
 * What it does to the unit of that name when its files on a machine become others: by what the fragment and its drop-ins amount to, and
 * not by their bytes. Unknown means restart.
 */
export function effectOfFiles(
  name: UnitName,
  before: readonly InstalledFile[],
  after: readonly InstalledFile[],
): FilesEffect {
  const [old, next] = [filesByUnit(before), filesByUnit(after)];
  const delivered = deliveredCauses(name, before, after, () => readUnit(name, next.get(name) ?? []));
  const parts: FilesEffect[] = [...new Set([name, ...old.keys(), ...next.keys()])].map((unit) => {
    const effect = effectOfUnit(unit as UnitName, old.get(unit) ?? [], next.get(unit) ?? []);
    return unit === name ? effect : asCompanion(effect);
  });
  parts.push({ effect: worst(delivered.map((cause) => cause.effect)), causes: delivered });
  const causes = new Map(parts.flatMap((part) => part.causes).map((cause) => [JSON.stringify(cause), cause]));
  return {
    effect: worst(parts.map((part) => part.effect)),
    causes: [...causes.values()].sort(
      (a, b) => rank(a.effect) - rank(b.effect) || compareText(a.section, b.section) || compareText(a.key, b.key),
    ),
  };
}

/** Templates that travel along (`OnFailure=notify@%n.service`) run as units of their own: this one only mentions them. */
function asCompanion({ effect, causes }: FilesEffect): FilesEffect {
  const milder = (of: UnitEffect): UnitEffect => (of === "quiet" ? "quiet" : "daemon-reload");
  return { effect: milder(effect), causes: causes.map((cause) => ({ ...cause, effect: milder(cause.effect) })) };
}

function effectOfUnit(name: UnitName, before: readonly InstalledFile[], after: readonly InstalledFile[]): FilesEffect {
  const text = (files: readonly InstalledFile[]) => JSON.stringify(files.map((file) => [file.path, file.text]));
  if (text(before) === text(after)) return { effect: "quiet", causes: [] };
  const [old, next] = [readUnit(name, before), readUnit(name, after)];
  if (old === null || next === null) return { effect: "restart", causes: [] };
  const causes = changedDirectives(old, next).map((changed) => ({
    ...changed,
    effect: effectInContext(name, changed, old, next),
  }));
  return { effect: worst(causes.map((cause) => cause.effect)), causes };
}

/** Null where a file is missing or systemd and we may read it differently: nothing can be promised then. */
function readUnit(name: UnitName, files: readonly InstalledFile[]): EffectiveUnit | null {
  const parsed = files.map((file) => parseUnitFile(file.path, file.text));
  const fragment = parsed.find(({ file }) => file.path === name);
  if (fragment === undefined || parsed.some(({ diagnostics }) => diagnostics.length > 0)) return null;
  return effectiveUnit(
    fragment.file,
    parsed.filter((one) => one !== fragment).map((one) => one.file),
  );
}

/** The unit each file belongs to → its files, drop-ins in the order systemd applies them. */
function filesByUnit(files: readonly InstalledFile[]): ReadonlyMap<string, readonly InstalledFile[]> {
  const byUnit = new Map<string, InstalledFile[]>();
  for (const file of [...files].sort((a, b) => compareText(a.path, b.path))) {
    if (file.delivery !== undefined) continue;
    const unit = file.path.replace(/\.d\/[^/]*$/, "");
    const known = byUnit.get(unit);
    if (known === undefined) byUnit.set(unit, [file]);
    else known.push(file);
  }
  return byUnit;
}

function worst(effects: readonly UnitEffect[]): UnitEffect {
  return UNIT_EFFECTS.find((effect) => effects.includes(effect)) ?? "quiet";
}

function rank(effect: UnitEffect): number {
  return UNIT_EFFECTS.indexOf(effect);
}
