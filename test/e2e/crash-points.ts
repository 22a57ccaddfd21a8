import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/**
 * systemd is spoken to by the main thread, which also changes files that need not last; the others are changed by the one thread of Node's
 * pool (`UV_THREADPOOL_SIZE=1`).
 */
export type CrashThread = "files" | "main";

/** The `nth` call of this name by this thread, from the moment somebody looks on. */
export interface CrashPoint {
  readonly thread: CrashThread;
  readonly call: string;
  readonly nth: number;
  /** What it was about in the pass that was looked at, as strace shows it. */
  readonly about: string;
}

/** What changes files, or says something to systemd over D-Bus: each of these calls is a point where the process may die. */
const CALLS = [
  "openat",
  "write",
  "writev",
  "fchmod",
  "fsync",
  "rename",
  "unlink",
  "mkdir",
  "rmdir",
  "symlink",
  "sendmsg",
];
/** What the agent asks of systemd that changes something. */
const ORDER = /StartUnit|StopUnit|ReloadUnit|ResetFailedUnit|Reload(?=\\0)/;

/** strace at one thread of a process. Ends with it, or by `end`. */
export class Onlooker {
  /** With what strace wrote. */
  readonly ended: Promise<string>;
  readonly #child;
  readonly #thread: CrashThread;

  private constructor(child: ReturnType<typeof spawn>, thread: CrashThread, output: string) {
    this.#child = child;
    this.#thread = thread;
    this.ended = new Promise((resolve) => child.once("exit", () => resolve(takeAway(output))));
  }

  /** Returns once it looks on; the process dies before it does what `kill` names. */
  static async at(pid: number, thread: CrashThread, kill?: CrashPoint): Promise<Onlooker> {
    const output = join(tmpdir(), `fleet-crash-${process.pid}-${thread}`);
    const inject = kill === undefined ? [] : ["-e", `inject=${kill.call}:signal=KILL:when=${kill.nth}`];
    const words = ["-p", String(threadOf(pid, thread)), "-y", "-s", "400", "-o", output, "-e", `trace=${CALLS}`];
    const child = spawn("strace", [...words, ...inject], { stdio: ["ignore", "ignore", "pipe"] });
    const onlooker = new Onlooker(child, thread, output);
    for await (const line of createInterface(child.stderr!)) {
      if (/attached$/.test(line)) return onlooker;
    }
    throw new Error(`strace did not attach to the ${thread} thread of ${pid}`);
  }

  /** Lets the process go on alone; what it did meanwhile, as points to die at. */
  async end(): Promise<CrashPoint[]> {
    this.#child.kill("SIGINT");
    return crashPoints(await this.ended, this.#thread);
  }
}

function takeAway(path: string): string {
  const text = readFileSync(path, "utf8");
  rmSync(path);
  return text;
}

/** Of what strace wrote, the calls that change files or order something of systemd, with their number among those of the same name. */
export function crashPoints(text: string, thread: CrashThread): CrashPoint[] {
  const counts = new Map<string, number>();
  const points: CrashPoint[] = [];
  for (const line of text.split("\n")) {
    const [, call, about] = /^(\w+)\((.*)$/.exec(line) ?? [];
    if (call === undefined || about === undefined) continue;
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    if (isStep(call, about)) points.push({ thread, call, nth, about });
  }
  return points;
}

function isStep(call: string, about: string): boolean {
  if (call === "openat") return /O_WRONLY|O_RDWR/.test(about);
  // Threads wake each other by writing as well, and the registry is spoken to.
  return !/^write|^sendmsg/.test(call) || /^\d+<\//.test(about) || ORDER.test(about);
}

function threadOf(pid: number, thread: CrashThread): number {
  if (thread === "main") return pid;
  const name = (tid: string) => readFileSync(`/proc/${pid}/task/${tid}/comm`, "utf8").trim();
  const workers = readdirSync(`/proc/${pid}/task`).filter((tid) => name(tid) === "libuv-worker");
  if (workers.length !== 1) throw new Error(`${pid} has ${workers.length} threads for files, not one`);
  return Number(workers[0]);
}

/** One of every kind, from the middle of the pass. */
export function sampleOf(points: readonly CrashPoint[]): CrashPoint[] {
  const kinds = Map.groupBy(points, ({ thread, call, about }) => `${thread} ${call} ${ORDER.exec(about)?.[0] ?? ""}`);
  return [...kinds.values()].map((kind) => kind[Math.floor(kind.length / 2)]!);
}
