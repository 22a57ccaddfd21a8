import { printableLine } from "./printable.ts";

/** One entry of `journalctl --output=json`, as far as it is shown. */
export interface JournalEntry {
  /** Microseconds of its machine's wall clock; 0 where it does not say. */
  readonly atUs: number;
  readonly who: string;
  readonly message: string;
}

/** Null for what is no entry: a line that was cut. */
export function journalEntry(line: string): JournalEntry | null {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { __REALTIME_TIMESTAMP: at, SYSLOG_IDENTIFIER: name, _COMM: command, _PID: pid, MESSAGE: message } = value;
  const atUs = Number(at);
  const who = [name, command].find((one) => typeof one === "string") ?? "";
  return {
    atUs: Number.isSafeInteger(atUs) ? atUs : 0,
    who: typeof pid === "string" ? `${who}[${pid}]` : String(who),
    message: messageText(message),
  };
}

/** `2026-11-21T10:00:00.000Z m1 web[12]: listening`: as journalctl's own lines, with the machine's name in place of what it calls itself. */
export function journalLine(machine: string, { atUs, who, message }: JournalEntry): string {
  return printableLine(`${new Date(atUs / 1_000).toISOString()} ${machine} ${who}: ${message}`);
}

/** journalctl gives bytes where a message is no text, and null where it is long. */
function messageText(message: unknown): string {
  if (typeof message === "string") return message;
  return Array.isArray(message) ? Buffer.from(message as number[]).toString() : "[long or no message]";
}
