import { compareText, type UnitName } from "../names.ts";
import { FILES_ROOT } from "../spec/delivered-file.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import { findMounts, type HostMount } from "./host-mounts.ts";
import { expandSpecifiers } from "./specifiers.ts";
import { serviceNameOf, unitNameParts } from "./unit-name.ts";

/**
 * Host paths that are mounted but are not a unit's data: made anew by each boot, the host's own system and configuration,
 * logs, and what a container engine keeps for itself. Everything else writable counts, `/var/lib`, `/srv`, `/opt`, `/home` first of all.
 */
const NO_DATA = [
  "/bin",
  "/boot",
  "/dev",
  "/etc",
  "/lib",
  "/lib64",
  "/proc",
  "/run",
  "/sbin",
  "/sys",
  "/tmp",
  "/usr",
  "/var/cache",
  "/var/lib/containers",
  "/var/lib/docker",
  FILES_ROOT,
  "/var/lock",
  "/var/log",
  "/var/run",
  "/var/tmp",
  // Specifiers for such directories: cache, configuration, logs, runtime, temporary.
  "%C",
  "%E",
  "%L",
  "%t",
  "%T",
  "%V",
];

/** File systems whose data is elsewhere, or nowhere: a volume of these moves with its unit. */
const NOT_LOCAL = ["9p", "ceph", "cifs", "fuse.sshfs", "glusterfs", "nfs", "nfs4", "smb3", "tmpfs", "virtiofs"];

/** Sections of units that run processes and so may have directories of their own. */
const EXEC_SECTIONS = ["Mount", "Service", "Socket", "Swap"];
const hasDirectories = (section: string) => EXEC_SECTIONS.includes(section);

/**
 * What a unit keeps on its machine, for `Move=never`: `StateDirectory=`, `ReadWritePaths=` and `BindPaths=` on data, quadlet
 * volumes and mounts, `.volume` files on the local driver, `.mount` units of a local disk, and `-v`, `--mount` and
 * `--volumes-from` of docker and podman command lines. Named volumes count; anonymous and read-only ones do not. A `.volume` file
 * is judged itself, in its user's group. Sorted, each once.
 */
export function findLocalState(name: UnitName, unit: EffectiveUnit): { readonly because: string }[] {
  const found = [
    ...unit.sections.filter(hasDirectories).flatMap((section) => [
      ...unit.values(section, "StateDirectory").map(({ value }) => `StateDirectory=${value}`),
      ...unit
        .values(section, "ReadWritePaths")
        .flatMap(({ value }) => value.split(/[ \t]+/))
        .filter((path) => isData(path.replace(/^[-+]+/, "")))
        .map((path) => `ReadWritePaths=${path}`),
    ]),
    ...findMounts(unit)
      .filter(holdsState)
      .map(({ by, source }) => `${by}${source}`),
    ...localVolume(name, unit),
    ...localDisk(name, unit),
  ];
  if (found.length === 0) return [];
  const expanded = found.map((because) => expandSpecifiers(because, serviceNameOf(name)).text);
  return [...new Set(expanded)].sort(compareText).map((because) => ({ because }));
}

function holdsState(mount: HostMount): boolean {
  if (mount.readOnly || mount.source.endsWith(".volume")) return false;
  return mount.kind === "volume" || isData(mount.source);
}

/** The whole root is what monitors mount, sockets talk to something, and a relative path is a file delivered with the quadlet. */
function isData(path: string): boolean {
  if (path.startsWith(".")) return false;
  const plain = path.replace(/\/+$/, "");
  if (plain === "" || plain.endsWith(".sock") || plain.endsWith("/localtime")) return false;
  return !NO_DATA.some((prefix) => plain === prefix || plain.startsWith(`${prefix}/`));
}

function localVolume(name: UnitName, unit: EffectiveUnit): string[] {
  if (unitNameParts(name).type !== "volume") return [];
  const driver = unit.last("Volume", "Driver")?.value ?? "local";
  const type = unit.last("Volume", "Type")?.value ?? "";
  return driver === "local" && !NOT_LOCAL.includes(type) ? [`volume ${name}`] : [];
}

function localDisk(name: UnitName, unit: EffectiveUnit): string[] {
  if (unitNameParts(name).type !== "mount") return [];
  const what = unit.last("Mount", "What")?.value ?? "";
  return /^(\/dev\/|(UUID|LABEL|PARTUUID|PARTLABEL)=)/.test(what) ? [`What=${what}`] : [];
}
