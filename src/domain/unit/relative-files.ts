import type { SourceLocation } from "../diagnostic.ts";
import type { UnitName } from "../names.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import { mountSource } from "./quadlet-references.ts";
import { isQuadlet } from "./unit-name.ts";

/** A quadlet's own file named relative to itself. */
export interface RelativeFile {
  readonly key: string;
  /** Below the component's `files/`. */
  readonly path: string;
  readonly at: SourceLocation;
}

/** podman-systemd.unit(5): keys whose relative paths begin at the unit file's own folder. */
const KEYS = ["Volume", "Mount", "EnvironmentFile", "Yaml", "ConfigMap", "File", "IgnoreFile", "AuthFile"];

/** Where a quadlet names `files/…` beside itself: so people lay out a repository, and no machine is laid out. */
export function relativeFiles(name: UnitName, unit: EffectiveUnit): readonly RelativeFile[] {
  if (!isQuadlet(name)) return [];
  return unit.sections.flatMap((section) =>
    KEYS.flatMap((key) =>
      unit.values(section, key).flatMap(({ value, at }) => {
        const source = key === "Mount" ? mountSource(value) : (value.split(":")[0] ?? "");
        const path = /^(?:\.\/)?files\/(.+)$/.exec(source.trim())?.[1];
        return path === undefined ? [] : [{ key, path, at }];
      }),
    ),
  );
}
