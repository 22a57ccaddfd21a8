import { spawn } from "node:child_process";
import { lookup } from "node:dns";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isForbiddenAddress } from "../../domain/notify/forbidden-address.ts";
import type { NotifyTarget } from "../../domain/notify/notify-policy.ts";
import type { Message, Notifier } from "../../ports/notifier.ts";
import { OperationError } from "../../ports/operation-error.ts";

/** From the first look-up to the last byte, and for a command from start to end. */
const LIMIT_MS = 10_000;
/** Of a command; the engine's own environment may name what is none of its business. */
const COMMAND_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface OutsideNotifierOptions {
  /** Where not to connect to; for tests, which have no other machine. */
  readonly isForbidden?: (address: string) => boolean;
  readonly limitMs?: number;
}

/** Posts to webhooks and runs commands. A commit names both, so what it can make of an engine is bounded here: see docs/notify.md. */
export class OutsideNotifier implements Notifier {
  readonly #isForbidden: (address: string) => boolean;
  readonly #limitMs: number;

  constructor({ isForbidden = isForbiddenAddress, limitMs = LIMIT_MS }: OutsideNotifierOptions = {}) {
    this.#isForbidden = isForbidden;
    this.#limitMs = limitMs;
  }

  send(target: NotifyTarget, message: Message): Promise<void> {
    return target.kind === "webhook" ? this.#post(target.url, message) : this.#run(target.path, message);
  }

  /** Redirects are answers like any other that is no success: nothing is followed. */
  #post(address: string, { body }: Message): Promise<void> {
    const url = new URL(address);
    const host = url.hostname.replace(/^\[|\]$/g, "");
    // A literal address is connected to without being looked up.
    if (isIP(host) !== 0 && this.#isForbidden(host)) return Promise.reject(refused(host));
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const fail = (why: string, cause?: unknown) =>
        reject(
          cause instanceof OperationError
            ? cause
            : new OperationError("notify-failed", `cannot post to ${url.host}: ${why}`),
        );
      const sent = request(
        url,
        {
          method: "POST",
          agent: false,
          lookup: this.#lookup(host),
          signal: AbortSignal.timeout(this.#limitMs),
          headers: {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
            "user-agent": "fleet",
          },
        },
        (response) => {
          const { statusCode = 0 } = response;
          response.destroy();
          if (statusCode >= 200 && statusCode < 300) resolve();
          else fail(`it answered ${statusCode}`);
        },
      );
      sent.once("error", (error: NodeJS.ErrnoException) => {
        // Not the message: some name the whole address.
        fail(error.name === "AbortError" ? "it took too long" : (error.code ?? error.name), error);
      });
      sent.end(body);
    });
  }

  /** Judges what a name means at the moment of connecting: a name may mean another address by then than when it was reviewed. */
  #lookup(host: string): LookupFunction {
    return (name, options, done) => {
      lookup(name, { ...options, all: true }, (error, addresses) => {
        if (error !== null) return done(error, []);
        if (addresses.length === 0 || addresses.some(({ address }) => this.#isForbidden(address)))
          return done(refused(host) as unknown as NodeJS.ErrnoException, []);
        const [first] = addresses;
        if (options.all) done(null, addresses);
        else done(null, first!.address, first!.family);
      });
    };
  }

  #run(path: string, { event, body }: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new OperationError("notify-failed", `cannot run ${path}: ${why}`));
      const child = spawn(path, [], {
        cwd: "/",
        env: { PATH: COMMAND_PATH, FLEET_EVENT: event },
        stdio: ["pipe", "ignore", "ignore"],
        // A group of its own, so that what it starts ends with it.
        detached: true,
      });
      const limit = setTimeout(() => {
        if (child.pid !== undefined) killGroup(child.pid);
        fail("it took too long");
      }, this.#limitMs);
      child.once("error", (error: NodeJS.ErrnoException) => {
        clearTimeout(limit);
        fail(error.code ?? error.message);
      });
      child.once("close", (code, signal) => {
        clearTimeout(limit);
        if (code === 0) resolve();
        else fail(signal === null ? `exit ${code}` : `killed by ${signal}`);
      });
      // One that does not read what it is told has its reasons: its exit code counts.
      child.stdin.once("error", () => undefined);
      child.stdin.end(`${body}\n`);
    });
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function refused(host: string): OperationError {
  return new OperationError("notify-refused", `no webhook may lead to the engine's own machine or network: ${host}`, {
    next: "use command: for what runs beside the engine",
  });
}
