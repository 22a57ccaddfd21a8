import type { LogLine, LogPriority } from "../../ports/log.ts";

/** syslog's numbers, which sd-daemon(3) and journald use. */
const LEVELS: Readonly<Record<LogPriority, number>> = { err: 3, warning: 4, notice: 5, info: 6 };

/** Longer lines are cut: journald does it at 48 KiB, and nobody reads on. */
const LINE_CHARACTERS_MAX = 4_000;

/** For a terminal or a file: the message, and a line break. */
export function plainText({ message }: LogLine): string {
  return linesOf(message)
    .map((line) => `${line}\n`)
    .join("");
}

/** For journald on standard error, by sd-daemon(3): each line with its priority in front, which journald takes away. */
export function prefixedText({ priority, message }: LogLine): string {
  return linesOf(message)
    .map((line) => `<${LEVELS[priority]}>${line}\n`)
    .join("");
}

/** Who speaks: the name in front of its lines, and its own unit, among whose lines they belong as well. */
export interface Speaker {
  readonly identifier: string;
  /** Null outside of systemd. */
  readonly unit: string | null;
}

/**
 * A whole entry as `logger --journald` reads it. `journalctl -u UNIT` looks for `UNIT=` in what PID 1 says alone; what other
 * daemons of root say of a unit it finds by `OBJECT_SYSTEMD_UNIT=`. That field twice, since it may have several values, and journald
 * learns of a process that has ended neither its unit nor its cgroup.
 */
export function journalEntry(line: LogLine, { identifier, unit }: Speaker): string {
  const about = line.unit === undefined ? [] : [`UNIT=${line.unit}`, `OBJECT_SYSTEMD_UNIT=${line.unit}`];
  const fields = [
    // A line break inside of a field would begin another one; logger puts several messages into one again.
    ...linesOf(line.message).map((text) => `MESSAGE=${text}`),
    `PRIORITY=${LEVELS[line.priority]}`,
    `SYSLOG_IDENTIFIER=${identifier}`,
    ...about,
    ...(unit === null ? [] : [`OBJECT_SYSTEMD_UNIT=${unit}`]),
  ];
  return `${fields.join("\n")}\n`;
}

/** Without what a terminal would obey: messages quote repositories and other machines. */
function linesOf(message: string): string[] {
  return message
    .split(/\r\n|\r|\n/)
    .map((line) => line.slice(0, LINE_CHARACTERS_MAX).replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, "?"));
}
