import type { UnitName } from "../names.ts";
import type { InstalledFile } from "../tasks/task.ts";
import { type OnDisconnect, stopAfterMsOf } from "../unit/on-disconnect.ts";

/** The drop-in that binds a unit to its machine's lease. Sorts behind what an author writes (10-…, 50-…). */
export const AT_MOST_ONE_DROPIN = "90-fleet-at-most-one.conf";

/** Where an agent puts `FLEET_FENCE_TOKEN`, a file a unit. In /run: after a boot there is none, and the unit does not start. */
export const FENCE_FOLDER = "/run/fleet/fence";

/** What stops with the machine's lease: packaging/systemd/fleet-lease@.service, an instance for each time units ask for. */
export function leaseUnit(stopAfter: string): UnitName {
  return `fleet-lease@${stopAfter}.service` as UnitName;
}

/** The file of a unit's token. */
export function fencePath(service: UnitName): string {
  return `${FENCE_FOLDER}/${service}.env`;
}

/**
 * systemd stops the unit when the lease unit ends, whoever of fleet is alive, and does not start it while there is none. The
 * token's file must be there too; systemd reads its path as a pattern, in which a backslash counts twice.
 */
export function atMostOneDropin(service: UnitName, option: Exclude<OnDisconnect, "keep">): string {
  const lease = leaseUnit(option.slice("stop-after=".length));
  const path = fencePath(service).replaceAll("\\", "\\\\");
  return `[Unit]\nBindsTo=${lease}\nAfter=${lease}\n\n[Service]\nEnvironmentFile=${path}\n`;
}

/** How long a unit with these files may outlive its machine's lease, in milliseconds; null where it is kept. */
export function stopAfterOfFiles(name: UnitName, files: readonly InstalledFile[]): number | null {
  const dropin = files.find(({ path }) => path === `${name}.d/${AT_MOST_ONE_DROPIN}`);
  const time = /^BindsTo=fleet-lease@([0-9a-z]+)\.service$/m.exec(dropin?.text ?? "")?.[1];
  return time === undefined ? null : stopAfterMsOf(`stop-after=${time}`);
}
