import type { UnitName } from "../names.ts";
import { SECRETS_ROOT } from "../secret/secret-name.ts";
import type { SpecFile } from "./cluster-spec.ts";

/**
 * Where a unit's files lie on its machine, in a folder of its own: `/var/lib/fleet/files/web@1.service/app.env`, which a unit writes
 * `/var/lib/fleet/files/%n/app.env`. Not below /run, where Debian lets nothing be executed; and one folder a unit, not one a component, so
 * that two replicas on one machine may have two versions of a file while a rollout is on its way (decision 30).
 */
export const FILES_ROOT = "/var/lib/fleet/files";

/** The largest file, in bytes: it travels with its unit to each machine, and is compared and hashed as text is. Data belongs elsewhere. */
export const DELIVERED_FILE_MAX = 1024 * 1024;
/** All files of one unit, in bytes: its stored text stays far below the 64 MiB that an agent reads of one file. */
export const DELIVERED_BYTES_MAX = 4 * DELIVERED_FILE_MAX;
/** Files of one unit. Each is looked at every few seconds on its machine. */
export const DELIVERED_FILES_MAX = 256;

/** How a file lies on a machine. */
export interface Delivery {
  /** Octal, four digits, as written: `0640`. Never with set-user-id, set-group-id or sticky bits, never for others to write. */
  readonly mode: string;
  /** A name of the machine's accounts, or a number. */
  readonly owner: string;
  readonly group: string;
  /**
   * `base64`: the text stands for bytes that are no text. `age`: it is a secret as the repository has it, which the machine decrypts and keeps
   * in memory. Absent: it is the file's text itself, UTF-8.
   */
  readonly encoding?: "base64" | "age";
}

/** A file that a unit reads, as it is to lie on the unit's machine. */
export interface DeliveredFile extends SpecFile, Delivery {
  /** Below the unit's own folder, with `/`: `conf.d/app.conf`. */
  readonly name: string;
}

/** `service`: the name systemd knows the unit by, which is what `%n` is in it. */
export function deliveredFolder(service: UnitName): string {
  return `${FILES_ROOT}/${service}`;
}

/** What people call it: its path below the unit's own folder of files, or of secrets. */
export function deliveredName(service: UnitName, path: string): string {
  const folder = [deliveredFolder(service), `${SECRETS_ROOT}/${service}`].find((one) => path.startsWith(`${one}/`));
  return folder === undefined ? path : path.slice(folder.length + 1);
}

/** How many bytes it will have on disk. */
export function deliveredBytes({
  text,
  encoding,
}: {
  readonly text: string;
  readonly encoding?: Delivery["encoding"];
}): number {
  if (encoding === "base64") return Math.floor((text.length * 3) / 4) - (/=*$/.exec(text)?.[0].length ?? 0);
  return new TextEncoder().encode(text).length;
}
