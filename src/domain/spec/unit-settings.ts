import { compareText } from "../names.ts";
import type { RolloutPolicy } from "./cluster-spec.ts";
import type { UnitSettings } from "./manifest.ts";

/** One at a time is the only budget that is safe without knowing the service. */
const MAX_UNAVAILABLE = 1;
/** A service that survives five seconds has got past its start; a crash loop at systemd's default has not. */
const MIN_HEALTHY_TIME_MS = 5_000;
/** Longer than systemd's own start timeout of 90 s, so that its verdict comes first. */
const HEALTH_DEADLINE_MS = 120_000;

export const NO_SETTINGS: UnitSettings = {
  state: null,
  instances: null,
  environment: [],
  rollout: {
    maxUnavailable: null,
    minHealthyTimeMs: null,
    healthDeadlineMs: null,
    maxParallel: null,
    onFailure: null,
    canary: null,
    bakeMs: null,
    at: null,
  },
  move: null,
  group: null,
  onDisconnect: null,
  replace: null,
  adopt: null,
  drift: null,
  confirm: null,
  files: [],
  secrets: [],
  restartedAfter: null,
};

/** Settings of one unit from the most general to the most special; variables come sorted by name. */
export function mergeSettings(layers: readonly UnitSettings[]): UnitSettings {
  const last = <T>(pick: (settings: UnitSettings) => T | null): T | null =>
    layers.reduce<T | null>((found, layer) => pick(layer) ?? found, null);
  const files = new Map(layers.flatMap((layer) => layer.files).map((one) => [one.path, one]));
  const secrets = new Map(layers.flatMap((layer) => layer.secrets).map((one) => [one.name, one]));
  const variables = new Map(layers.flatMap((layer) => layer.environment).map((one) => [one.name, one]));
  return {
    state: last((layer) => layer.state),
    instances: last((layer) => layer.instances),
    environment: [...variables.values()].sort((a, b) => compareText(a.name, b.name)),
    rollout: {
      maxUnavailable: last((layer) => layer.rollout.maxUnavailable),
      minHealthyTimeMs: last((layer) => layer.rollout.minHealthyTimeMs),
      healthDeadlineMs: last((layer) => layer.rollout.healthDeadlineMs),
      maxParallel: last((layer) => layer.rollout.maxParallel),
      onFailure: last((layer) => layer.rollout.onFailure),
      canary: last((layer) => layer.rollout.canary),
      bakeMs: last((layer) => layer.rollout.bakeMs),
      at: last((layer) => layer.rollout.at),
    },
    move: last((layer) => layer.move),
    group: last((layer) => layer.group),
    onDisconnect: last((layer) => layer.onDisconnect),
    replace: last((layer) => layer.replace),
    adopt: last((layer) => layer.adopt),
    drift: last((layer) => layer.drift),
    confirm: last((layer) => layer.confirm),
    files: [...files.values()].sort((a, b) => compareText(a.path, b.path)),
    secrets: [...secrets.values()].sort((a, b) => compareText(a.name, b.name)),
    restartedAfter: last((layer) => layer.restartedAfter),
  };
}

/** Defaults written out; what is newer than the first specs is absent where it says nothing, so that they keep their hashes. */
export function rolloutPolicy({ rollout }: UnitSettings): RolloutPolicy {
  const canary = rollout.canary === null || rollout.canary.value === "none" ? null : rollout.canary.value;
  return {
    maxUnavailable: rollout.maxUnavailable ?? MAX_UNAVAILABLE,
    minHealthyTimeMs: rollout.minHealthyTimeMs ?? MIN_HEALTHY_TIME_MS,
    healthDeadlineMs: rollout.healthDeadlineMs ?? HEALTH_DEADLINE_MS,
    ...(rollout.maxParallel === null ? {} : { maxParallel: rollout.maxParallel }),
    ...(rollout.onFailure === "rollback" ? { onFailure: "rollback" as const } : {}),
    ...(canary === null ? {} : { canary }),
    ...(canary === null || rollout.bakeMs === null || rollout.bakeMs === 0 ? {} : { bakeMs: rollout.bakeMs }),
  };
}
