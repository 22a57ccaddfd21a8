import type { UnitName } from "../domain/names.ts";
import { isQuadlet } from "../domain/unit/unit-name.ts";

/** Where the files of units are put, each folder forgotten by a reboot. */
export interface UnitFolders {
  /** `/run/systemd/system`. */
  readonly units: string;
  /** `/run/containers/systemd`: podman's generator reads it first, and systemd never. */
  readonly quadlets: string;
}

/**
 * Where a file of a unit is put, by its path in the unit (`db.container.d/50-limits.conf`): podman's generator reads quadlets, systemd the
 * rest. An absolute path, of a file that a unit reads, is itself.
 */
export function installedPath(folders: UnitFolders, path: string): string {
  if (path.startsWith("/")) return path;
  return `${isQuadletPath(path) ? folders.quadlets : folders.units}/${path}`;
}

/** Whether the file is a quadlet's, or a drop-in of one. */
export function isQuadletPath(path: string): boolean {
  const [first = ""] = path.split("/");
  return isQuadlet(first.replace(/\.d$/, "") as UnitName);
}
