import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import type { SpecMachine } from "./cluster-spec.ts";
import type { DraftUnit } from "./draft-unit.ts";
import type { DraftGroup } from "./group-units.ts";
import { rolloutPolicy } from "./unit-settings.ts";

/**
 * What no rollout could keep to: more replicas tied to each other than may change or be down at once, a time to be healthy that is longer
 * than there is for it, canaries that are all there is.
 */
export function rolloutContradictions(
  groups: readonly DraftGroup[],
  machines: readonly SpecMachine[],
  admit: "listed" | "any",
): readonly Diagnostic[] {
  const wanted = groups.flatMap((group) => group.units).filter((unit) => unit.settings.state?.value !== "inactive");
  const sets = Map.groupBy(wanted, ({ name }) => replicaSetOf(name));
  const listed = machines.filter((machine) => machine.match === null).length;
  const most = (units: readonly DraftUnit[]) => {
    if (!units.some((unit) => unit.options.global)) return units.length;
    return admit === "listed" ? listed : Number.POSITIVE_INFINITY;
  };
  return [
    ...groups.flatMap(({ units, group }) => (group.global ? [] : tiedTogether(units))),
    ...wanted.flatMap(neverHealthy),
    ...[...sets].flatMap(([set, units]) => onlyCanaries(set, units, most(units))),
  ];
}

function tiedTogether(units: readonly DraftUnit[]): readonly Diagnostic[] {
  const sets = Map.groupBy(units, ({ name }) => replicaSetOf(name));
  return [...sets].flatMap(([set, tied]) => {
    const named = tied.map(({ name }) => name).join(" and ");
    return (["maxParallel", "maxUnavailable"] as const).flatMap((key): readonly Diagnostic[] => {
      const settings = tied.map((unit) => unit.settings.rollout);
      const least = Math.min(...settings.map((rollout) => rollout[key] ?? Number.POSITIVE_INFINITY));
      if (tied.length <= least) return [];
      const at = settings.find((rollout) => rollout[key] === least)?.at ?? undefined;
      const saw = `${key}: ${least} for ${set}, of which ${named} are tied to each other and change together`;
      const next = `untie them, or allow ${key}: ${tied.length}`;
      return [{ code: "rollout-budget", severity: "warning", ...place(at), saw, next }];
    });
  });
}

function neverHealthy({ name, settings }: DraftUnit): readonly Diagnostic[] {
  const { minHealthyTimeMs, healthDeadlineMs } = rolloutPolicy(settings);
  if (minHealthyTimeMs < healthDeadlineMs) return [];
  const saw = `${name}, which is to be healthy for ${seconds(minHealthyTimeMs)} (minHealthyTime) within ${seconds(healthDeadlineMs)} (healthDeadline)`;
  const next = "every change of it would fail: raise healthDeadline, or lower minHealthyTime";
  return [{ code: "rollout-deadline", severity: "error", ...place(settings.rollout.at ?? undefined), saw, next }];
}

/** Of one replica nobody expects that others follow it; a default is for those units that have several. */
function onlyCanaries(set: string, units: readonly DraftUnit[], most: number): readonly Diagnostic[] {
  const unit = units.find(({ settings }) => settings.rollout.canary !== null);
  const canary = unit?.settings.rollout.canary ?? null;
  if (canary === null || canary.value === "none" || !("count" in canary.value)) return [];
  if (most <= 1 || canary.value.count < most) return [];
  const saw = `canary: ${canary.value.count} for ${set}, which has ${most} replicas: none is left to follow them`;
  return [{ code: "canary-all", severity: "warning", at: canary.at, saw, next: "fewer canaries, or none" }];
}

function place(at: SourceLocation | undefined): Pick<Diagnostic, "at"> {
  return at === undefined ? {} : { at };
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}
