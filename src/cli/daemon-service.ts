import { fstatSync, readFileSync } from "node:fs";
import { systemClock } from "../adapters/system-clock.ts";
import { DaemonLog } from "../adapters/systemd/daemon-log.ts";
import { ServiceNotifier } from "../adapters/systemd/service-notifier.ts";
import { err, type Log } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Supervisor } from "../ports/supervisor.ts";
import { stopSignal } from "./daemon-composition.ts";
import { EXIT, SilentExit } from "./exit-codes.ts";
import { refuseBadConf } from "./refuse-bad-conf.ts";
import { errorText } from "./report-error.ts";

/** What a stopping daemon's last words may take. */
const LAST_WORDS_MS = 2_000;

/** The one that reads no fleet.conf. */
const REGISTRY_SERVICE = "fleet-registry";

/** What a daemon has of whoever runs it as a service. Outside of systemd its log is plain text, and nobody hears the rest. */
export interface DaemonService {
  readonly log: Log;
  readonly notifier: ServiceNotifier;
  /** Aborts when the daemon is to end. */
  readonly signal: AbortSignal;
}

/** Runs a daemon until it has ended, in good or bad; `identifier` is its name in the journal. */
export async function runService(identifier: string, work: (service: DaemonService) => Promise<void>): Promise<void> {
  const signal = stopSignal();
  const daemonLog = new DaemonLog({
    speaker: { identifier, unit: ownUnit() },
    toJournal: isStandardError(process.env.JOURNAL_STREAM),
    clock: systemClock,
    write: (text) => void process.stderr.write(text),
  });
  const { log } = daemonLog;
  const socket = process.env.NOTIFY_SOCKET;
  const notifier = new ServiceNotifier({ socket, watchdogMs: watchdogMs(), clock: systemClock, log });
  const ended = new AbortController();
  const pinging = notifier.run(AbortSignal.any([signal, ended.signal]));
  signal.addEventListener("abort", () => notifier.stopping(), { once: true });
  try {
    if (identifier !== REGISTRY_SERVICE) await refuseBadConf();
    await work({ log, notifier, signal });
  } catch (error) {
    if (signal.aborted && error instanceof OperationError && error.code === "stopped") return;
    log(err(errorText(error)));
    throw new SilentExit(EXIT.error);
  } finally {
    ended.abort();
    await pinging;
    const said = new AbortController();
    const all = Promise.all([notifier.flush(), daemonLog.flush()]).then(() => said.abort());
    await Promise.race([all, systemClock.sleep(LAST_WORDS_MS, said.signal)]);
  }
}

/** The notifier as the port of a daemon: each turn is a sign of life, and its condition the line that people see. */
export function supervisedBy<Condition>(
  notifier: ServiceNotifier,
  textOf: (condition: Condition) => string,
): Supervisor<Condition> {
  return {
    turned(condition) {
      notifier.progress();
      notifier.status(textOf(condition));
    },
  };
}

/** By systemd.exec(5): standard error is journald's where `$JOURNAL_STREAM` names its device and inode. */
function isStandardError(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(2, { bigint: true });
  return stream === `${dev}:${ino}`;
}

/** Null where there is none, or where it is meant for another process (sd_watchdog_enabled(3)). */
function watchdogMs(): number | null {
  const { WATCHDOG_USEC: limit, WATCHDOG_PID: pid } = process.env;
  if (limit === undefined || (pid !== undefined && pid !== String(process.pid))) return null;
  const milliseconds = Number(limit) / 1_000;
  return milliseconds > 0 ? milliseconds : null;
}

/** The service this process belongs to, by its cgroup. */
function ownUnit(): string | null {
  const path = readFileSync("/proc/self/cgroup", "utf8").trim().split("\n").at(-1) ?? "";
  return /([^/]+\.service)$/.exec(path)?.[1] ?? null;
}
