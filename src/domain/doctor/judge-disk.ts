import type { FolderFacts, LimitFacts } from "./doctor-facts.ts";
import type { AreaVerdict, Finding } from "./finding.ts";

const MEBIBYTE = 1024 * 1024;
/** A set of 750 units and what the agent knows of it is some 10 MiB, and the next one is written beside it. */
const ROOM_MIN_BYTES = 16 * MEBIBYTE;
/** Below it somebody should look before it is gone: a log or an image away from nothing. */
const ROOM_WARN_BYTES = 128 * MEBIBYTE;
/** Each unit is two files or three. */
const FILES_MIN = 1_000;
/** The kernel's own defaults; path units and journald live off them. */
const INOTIFY_INSTANCES_MIN = 128;
const INOTIFY_WATCHES_MIN = 8_192;

/** The folders an agent writes. */
export function judgeDisk(folders: readonly FolderFacts[]): AreaVerdict {
  const findings = folders.flatMap(judgeFolder);
  const room = folders.map(({ path, freeBytes }) => `${path} has ${mebibytes(freeBytes)} free`);
  return { saw: room.join(", "), findings };
}

function judgeFolder({ path, purpose, isReadOnly, freeBytes, freeFiles }: FolderFacts): Finding[] {
  const findings: Finding[] = [];
  if (isReadOnly) {
    findings.push({
      code: "folder-read-only",
      severity: "error",
      saw: `${path} is on a read-only file system`,
      expected: `a folder the agent may write ${purpose} to`,
      next: `findmnt -T ${path}; a file system the kernel made read-only has a reason in: dmesg`,
    });
  }
  const isShort = freeBytes < ROOM_MIN_BYTES;
  const hasFewFiles = freeFiles !== null && freeFiles < FILES_MIN;
  if (isShort || hasFewFiles || freeBytes < ROOM_WARN_BYTES) {
    const isError = isShort || hasFewFiles;
    findings.push({
      code: isError ? "disk-full" : "disk-almost-full",
      severity: isError ? "error" : "warning",
      saw: hasFewFiles ? `${path} has room for ${freeFiles} files` : `${path} has ${mebibytes(freeBytes)} free`,
      expected: `room for ${purpose}: ${mebibytes(ROOM_WARN_BYTES)}, and ${FILES_MIN} files`,
      next: `du -xh ${path} | sort -h | tail`,
    });
  }
  return findings;
}

export function judgeLimits({ inotifyInstances, inotifyWatches }: LimitFacts): AreaVerdict {
  const saw = `inotify: ${inotifyInstances} instances, ${inotifyWatches} watches a user`;
  if (inotifyInstances >= INOTIFY_INSTANCES_MIN && inotifyWatches >= INOTIFY_WATCHES_MIN) return { saw, findings: [] };
  const next = `sysctl -w fs.inotify.max_user_instances=${INOTIFY_INSTANCES_MIN} fs.inotify.max_user_watches=${INOTIFY_WATCHES_MIN}; and in /etc/sysctl.d`;
  const expected = `at least ${INOTIFY_INSTANCES_MIN} and ${INOTIFY_WATCHES_MIN}: systemd watches paths by it`;
  return { saw, findings: [{ code: "inotify-low", severity: "warning", saw, expected, next }] };
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / MEBIBYTE)} MiB`;
}
