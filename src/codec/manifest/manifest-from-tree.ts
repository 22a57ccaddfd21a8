import { parseConfirm } from "../../domain/confirm/confirm-policy.ts";
import { type NodeKey, parseNodeKey } from "../../domain/identity/node-key.ts";
import { invariant } from "../../domain/invariant.ts";
import type { MachineId } from "../../domain/names.ts";
import { parseCanary } from "../../domain/rollout/canary-setting.ts";
import { parseDuration } from "../../domain/spec/duration.ts";
import type {
  Located,
  Manifest,
  ManifestMachine,
  ManifestReboots,
  ManifestRelease,
  ManifestTrust,
  RolloutSettings,
  UnitSettings,
} from "../../domain/spec/manifest.ts";
import { parseOnDisconnect } from "../../domain/unit/on-disconnect.ts";
import { parseReplace } from "../../domain/unit/replace-option.ts";
import { lossValues } from "./loss-values.ts";
import type { MachineTree, ManifestTree, UnitSettingsTree } from "./manifest-schema.ts";
import type { YamlPath, YamlTree } from "./yaml-tree.ts";

/** The manifest's values out of a tree its schema accepts. */
export function manifestFromTree(root: ManifestTree, tree: YamlTree, flawed: boolean): Manifest {
  const located = locator(tree);
  return {
    flawed,
    cluster: located(root.cluster, ["cluster"]),
    source: root.source === undefined ? null : { url: root.source.url ?? null, branch: root.source.branch ?? null },
    paths: root.paths?.map((path, index) => located(path, ["paths", index])) ?? [
      { value: "units", at: tree.valueAt(["cluster"]) },
    ],
    defaults: unitSettings(root.defaults ?? {}, ["defaults"], tree),
    units: Object.entries(root.units ?? {}).map(([name, settings]) => ({
      key: { value: name, at: tree.keyAt(["units", name]) },
      settings: unitSettings(settings, ["units", name], tree),
    })),
    machines: Object.entries(root.machines ?? {}).map(([key, machine]) => machineFrom(machine, key, tree)),
    admit: root.admit === undefined ? null : located(root.admit, ["admit"]),
    lint: root.lint ?? {},
    secretRecipients: root.secrets?.recipients ?? [],
    rings: (root.rings ?? []).map((ring, index) => ({
      match: located(ring.match, ["rings", index, "match"]),
      soakMs: durationOf(ring.soak),
      window: ring.window === undefined ? null : located(ring.window, ["rings", index, "window"]),
    })),
    reboots: root.reboots === undefined ? null : rebootsFrom(root.reboots, located),
    trust: root.trust === undefined ? null : trustFrom(root.trust, tree),
    status: root.status ?? null,
    notify: (root.notify ?? []).map(({ on, webhook = null, command = null }, index) => ({
      ...{ on, webhook, command },
      at: tree.valueAt(["notify", index, "on"]),
    })),
    release: root.release === undefined ? null : releaseFrom(root.release, tree),
    sync:
      root.sync === undefined
        ? null
        : {
            intervalMs: durationOf(root.sync.interval),
            maxAgeMs: durationOf(root.sync.maxAge),
            at: tree.keyAt(["sync"]),
          },
    loss:
      root.loss === undefined ? { values: {}, at: null } : { values: lossValues(root.loss), at: tree.keyAt(["loss"]) },
  };
}

function rebootsFrom({ slots, window, drain }: NonNullable<ManifestTree["reboots"]>, located: Locate): ManifestReboots {
  return {
    slots: slots === undefined ? null : Number(slots),
    window: window === undefined ? null : located(window, ["reboots", "window"]),
    drain: drain === "true",
  };
}

function trustFrom(
  { mode, signers, forgeKeys = [], rules = [] }: NonNullable<ManifestTree["trust"]>,
  tree: YamlTree,
): ManifestTrust {
  const located = locator(tree);
  return {
    mode: mode ?? null,
    signers: signers === undefined ? null : located(signers, ["trust", "signers"]),
    forgeKeys,
    rules: rules.map((rule, index) => ({
      paths: rule.paths.map((path, place) => located(path, ["trust", "rules", index, "paths", place])),
      signers: rule.signers ?? [],
      count: rule.count === undefined ? null : Number(rule.count),
    })),
    at: tree.keyAt(["trust"]),
  };
}

function releaseFrom(
  { by, maxRestarts, maxStops }: NonNullable<ManifestTree["release"]>,
  tree: YamlTree,
): ManifestRelease {
  return {
    by: by ?? null,
    maxRestarts: maxRestarts === undefined ? null : Number(maxRestarts),
    maxStops: maxStops === undefined ? null : Number(maxStops),
    at: tree.keyAt(["release"]),
  };
}

type Locate = <T>(value: T, path: YamlPath) => Located<T>;

function locator(tree: YamlTree): Locate {
  return (value, path) => ({ value, at: tree.valueAt(path) });
}

function unitSettings(settings: UnitSettingsTree, path: YamlPath, tree: YamlTree): UnitSettings {
  const located = locator(tree);
  const rollout = settings.rollout ?? {};
  return {
    state: settings.state === undefined ? null : located(settings.state, [...path, "state"]),
    instances: settings.instances === undefined ? null : instances(settings.instances, [...path, "instances"], tree),
    environment: Object.entries(settings.environment ?? {}).map(([name, value]) => ({
      name,
      value,
      at: tree.keyAt([...path, "environment", name]),
    })),
    rollout: {
      maxUnavailable: rollout.maxUnavailable === undefined ? null : Number(rollout.maxUnavailable),
      minHealthyTimeMs: durationOf(rollout.minHealthyTime),
      healthDeadlineMs: durationOf(rollout.healthDeadline),
      maxParallel: rollout.maxParallel === undefined ? null : Number(rollout.maxParallel),
      onFailure: rollout.onFailure ?? null,
      canary: canary(rollout.canary, [...path, "rollout", "canary"], tree),
      bakeMs: durationOf(rollout.bake),
      at: settings.rollout === undefined ? null : tree.keyAt([...path, "rollout"]),
    },
    move: settings.move === undefined ? null : located(settings.move, [...path, "move"]),
    group: settings.group === undefined ? null : located(settings.group, [...path, "group"]),
    replace: replace(settings.replace, [...path, "replace"], tree),
    onDisconnect: onDisconnect(settings.onDisconnect, [...path, "onDisconnect"], tree),
    adopt: settings.adopt === undefined ? null : settings.adopt === "true",
    drift: settings.drift ?? null,
    confirm: settings.confirm === undefined ? null : parseConfirm(settings.confirm),
    secrets: (settings.secrets ?? []).map(({ name, mode, owner, group }, index) => ({
      ...{ name, mode: mode ?? null, owner: owner ?? null, group: group ?? null },
      isDefault: path[0] === "defaults",
      at: tree.valueAt([...path, "secrets", index, "name"]),
    })),
    files: (settings.files ?? []).map(({ path: name, from, mode, owner, group }, index) => ({
      ...{ path: name, mode: mode ?? null, owner: owner ?? null, group: group ?? null },
      from: from === undefined ? null : located(from, [...path, "files", index, "from"]),
      at: tree.valueAt([...path, "files", index, "path"]),
    })),
    restartedAfter:
      settings.restartedAfter === undefined ? null : located(settings.restartedAfter, [...path, "restartedAfter"]),
  };
}

function onDisconnect(text: string | undefined, path: YamlPath, tree: YamlTree): UnitSettings["onDisconnect"] {
  if (text === undefined) return null;
  const value = parseOnDisconnect(text);
  invariant(value !== null, "the schema accepts only what can be read");
  return { value, at: tree.valueAt(path) };
}

function replace(text: string | undefined, path: YamlPath, tree: YamlTree): UnitSettings["replace"] {
  if (text === undefined) return null;
  const value = parseReplace(text);
  invariant(value !== null, "the schema accepts only what can be read");
  return { value, at: tree.valueAt(path) };
}

function canary(text: string | undefined, path: YamlPath, tree: YamlTree): RolloutSettings["canary"] {
  if (text === undefined) return null;
  const value = parseCanary(text);
  invariant(value !== undefined, "the schema accepts only what can be read");
  return { value, at: tree.valueAt(path) };
}

/** A number is short for the names 1, 2, 3 …; the schema has refused numbers too large to write out. */
function instances(
  written: string | readonly string[],
  path: YamlPath,
  tree: YamlTree,
): Located<readonly Located<string>[]> {
  const at = tree.valueAt(path);
  if (typeof written === "string") {
    const names = Array.from({ length: Number(written) }, (_, index) => ({ value: String(index + 1), at }));
    return { value: names, at };
  }
  return { value: written.map((name, index) => ({ value: name, at: tree.valueAt([...path, index]) })), at };
}

function machineFrom(machine: MachineTree, key: string, tree: YamlTree): ManifestMachine {
  const located = locator(tree);
  const path = ["machines", key];
  return {
    key: { value: key, at: tree.keyAt(path) },
    id: machine.id === undefined ? null : located(machine.id as MachineId, [...path, "id"]),
    machineKey: nodeKey(machine.key, [...path, "key"], tree),
    engineKey: nodeKey(machine.engineKey, [...path, "engineKey"], tree),
    metadata: Object.entries(machine.metadata ?? {}).map(([name, value]) => ({
      key: name,
      value,
      at: tree.keyAt([...path, "metadata", name]),
    })),
    drain: machine.drain === "true",
    cordon: machine.cordon === "true",
    dropins: Object.entries(machine.dropins ?? {}).map(([unit, paths]) => ({
      unit: { value: unit, at: tree.keyAt([...path, "dropins", unit]) },
      paths: paths.map((one, index) => located(one, [...path, "dropins", unit, index])),
    })),
    paths: (machine.paths ?? []).map((one, index) => located(one, [...path, "paths", index])),
  };
}

function nodeKey(text: string | undefined, path: YamlPath, tree: YamlTree): Located<NodeKey> | null {
  if (text === undefined) return null;
  const value = parseNodeKey(text);
  invariant(value !== null, "the schema accepts only keys");
  return { value, at: tree.valueAt(path) };
}

function durationOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const milliseconds = parseDuration(text);
  invariant(milliseconds !== null, "the schema accepts only durations");
  return milliseconds;
}
