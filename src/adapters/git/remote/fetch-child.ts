import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import type { Readable, Writable } from "node:stream";
import { info, type Log } from "../../../ports/log.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import { readFrames, writeFrame } from "./fetch-frames.ts";
import { readPackReply, readRefsReply } from "./fetch-replies.ts";
import type { Fetcher, Remote } from "./fetcher.ts";
import { timedOut } from "./http-conversation.ts";
import type { FetchQuestion } from "./serve-fetches.ts";

export interface FetchChildOptions {
  /** The program that calls `serveFetches`. */
  readonly entry: string;
  /** Folders and files it is loaded from; it may read nothing else. */
  readonly code: readonly string[];
  /** Whether a remote is reached by ssh: then it may start programs, and keeps its user, who has the key. */
  readonly ssh: boolean;
  readonly log?: Log;
  /** What it needs of the daemon's environment. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Data memory, bytes. */
  readonly memoryBytesMax?: number;
}

/** A pack of 256 MiB in two copies while it is put together, its largest object and Node's own 60 MB. */
const MEMORY_BYTES_MAX = 1024 * 1024 * 1024;
/** For its heap; packs and objects lie outside of it. */
const HEAP_MIB_MAX = 256;
/** Its own sockets and pipes. */
const FILES_MAX = 64;
const BLOB_BYTES_MAX = 512 * 1024 * 1024;
/** It ends a talk by itself at its deadline; one that does not is killed then. */
const GRACE_MS = 1_000;
const NOBODY: ChildUser = { name: "nobody", id: 65_534, group: 65_534 };
/** The package's own account for it (fleet.sysusers.conf). */
const ACCOUNT = "fleet-fetch";
/** Bits of /proc's CapEff (capability(7)): of another user it could otherwise not end. */
const KILL_SETGID_SETUID = 0b1110_0000n;

type Child = ChildProcessByStdio<Writable, Readable, null>;

interface Pending {
  readonly resolve: (reply: { readonly value: unknown; readonly blobs: readonly Buffer[] }) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Talks to remotes in a process of its own, started when it is first needed and again when it died: no disk, little memory, another user
 * where that is possible, and killed at the deadline. What it says is bounded and checked again here.
 */
export class FetchChild implements Fetcher {
  readonly #options: FetchChildOptions;
  #child: Child | null = null;
  #lastId = 0;
  readonly #pending = new Map<number, Pending>();

  constructor(options: FetchChildOptions) {
    this.#options = options;
  }

  /** Null while there is none. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async refs(...[remote, prefix, limits]: Parameters<Fetcher["refs"]>): ReturnType<Fetcher["refs"]> {
    const { value } = await this.#ask({ op: "refs", remote, prefix, limits }, remote, limits.timeoutMs);
    return readRefsReply(value);
  }

  async pack(...[remote, request, limits]: Parameters<Fetcher["pack"]>): ReturnType<Fetcher["pack"]> {
    const { value, blobs } = await this.#ask({ op: "pack", remote, request, limits }, remote, limits.timeoutMs);
    return readPackReply(value, blobs, limits.maxBytes);
  }

  close(): void {
    this.#end("it was closed");
  }

  #ask(
    question: DistributiveOmit<FetchQuestion, "id">,
    remote: Remote,
    timeoutMs: number,
  ): Promise<{ readonly value: unknown; readonly blobs: readonly Buffer[] }> {
    this.#child ??= this.#start();
    const child = this.#child;
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(timedOut(remote.address, timeoutMs, undefined));
        // It should have given up: whatever holds it, another one is a clean start.
        this.#end("it did not keep its time");
      }, timeoutMs + GRACE_MS);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          this.#pending.delete(id);
          if (this.#pending.size === 0) hold(child, false);
          then(value);
        };
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject) });
      hold(child, true);
      void writeFrame(child.stdin, { ...question, id });
    });
  }

  #start(): Child {
    const { command, arguments_, user } = commandOf(this.#options);
    const child = spawn(command, arguments_, {
      stdio: ["pipe", "pipe", "ignore"],
      cwd: "/",
      // Nothing of the daemon's: its variables name registries and keys.
      env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", ...this.#options.variables },
      ...(user === null ? {} : { uid: user.id, gid: user.group }),
    });
    child.on("error", () => this.#lost(child, "it could not be started"));
    child.on("exit", (code, signal) => this.#lost(child, signal === null ? `exit code ${code}` : signal));
    child.stdin.on("error", () => child.stdin.destroy());
    void this.#listen(child);
    const as = user?.name ?? "the daemon's user";
    this.#options.log?.(info(`fetching in process ${child.pid ?? "?"}, as ${as}, by ${command}`));
    return child;
  }

  async #listen(child: Child): Promise<void> {
    try {
      for await (const { value, blobs } of readFrames(child.stdout, BLOB_BYTES_MAX)) this.#heard(value, blobs);
    } catch {
      // Its death says the same, or is about to.
      if (this.#child === child) this.#end("it said what it must not");
    }
  }

  #heard(value: unknown, blobs: readonly Buffer[]): void {
    const { id, error } = value as { id?: unknown; error?: { code: unknown; message: unknown; next: unknown } };
    const pending = this.#pending.get(Number(id));
    if (pending === undefined) return;
    const next = typeof error?.next === "string" ? { next: error.next } : {};
    if (error === undefined) pending.resolve({ value, blobs });
    else pending.reject(new OperationError(String(error.code), String(error.message), next));
  }

  #end(why: string): void {
    const child = this.#child;
    if (child === null) return;
    child.kill("SIGKILL");
    this.#lost(child, why);
  }

  #lost(child: Child, why: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    for (const { reject } of [...this.#pending.values()]) {
      reject(
        new OperationError("fetch-failed", `the fetching process ended: ${why}`, {
          next: "it is started again with the next poll; a source that ends it each time sends what it must not",
        }),
      );
    }
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Whether the daemon goes on living for this child's sake: only while it waits for an answer. */
function hold(child: Child, wanted: boolean): void {
  for (const handle of [child, child.stdin as Socket, child.stdout as Socket]) {
    if (wanted) handle.ref();
    else handle.unref();
  }
}

/** What holds it, as far as this machine and this process can: see decision 28. */
function commandOf(options: FetchChildOptions): { command: string; arguments_: string[]; user: ChildUser | null } {
  const { entry, code, ssh, memoryBytesMax = MEMORY_BYTES_MAX } = options;
  const sandbox = process.allowedNodeEnvironmentFlags.has("--permission")
    ? ["--permission", ...code.map((path) => `--allow-fs-read=${path}`), ...(ssh ? ["--allow-child-process"] : [])]
    : [];
  const node = [
    process.execPath,
    `--max-old-space-size=${HEAP_MIB_MAX}`,
    "--max-semi-space-size=1",
    "--no-warnings",
    ...sandbox,
    entry,
  ];
  const user = !ssh && mayChangeUser() && code.every(isForEverybody) ? otherUser() : null;
  const prlimit = ["/usr/bin/prlimit", "/bin/prlimit"].find((path) => existsSync(path));
  if (prlimit === undefined) return { command: node[0]!, arguments_: node.slice(1), user };
  const limits = [`--data=${memoryBytesMax}`, "--core=0", "--fsize=0", `--nofile=${FILES_MAX}`];
  return { command: prlimit, arguments_: [...limits, "--", ...node], user };
}

/** Root alone does not say it: fleet's own units run without capabilities. */
function mayChangeUser(): boolean {
  if (process.geteuid?.() !== 0) return false;
  const held = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${held}`) & KILL_SETGID_SETUID) === KILL_SETGID_SETUID;
}

interface ChildUser {
  readonly name: string;
  readonly id: number;
  readonly group: number;
}

/** Nobody is also who others run as that are to own nothing, and whom the child could meddle with. */
function otherUser(): ChildUser {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((one) => one.startsWith(`${ACCOUNT}:`));
  const [name = "", , id, group] = line?.split(":") ?? [];
  return Number(id) > 0 && Number(group) > 0 ? { name, id: Number(id), group: Number(group) } : NOBODY;
}

/** Whether any user can load code from there. */
function isForEverybody(path: string): boolean {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  if (isFolder === undefined) return false;
  for (let at = path, wanted = isFolder ? 0o5 : 0o4; ; at = dirname(at), wanted = 0o1) {
    if ((statSync(at).mode & wanted) !== wanted) return false;
    if (at === dirname(at)) return true;
  }
}
