import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { SyncAnswer } from "../codec/sync-record.ts";
import { parseDuration } from "../domain/spec/duration.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { Registry } from "../ports/registry.ts";
import { askSync } from "../usecases/ask-sync.ts";
import { refuseOtherDriver } from "../usecases/refuse-other-driver.ts";
import { ApiProblem } from "./api-problem.ts";
import type { ClusterPicture } from "./cluster-picture.ts";

/** Below what forges wait for a webhook's answer (10 s). */
const TIMEOUT_MS = 9_000;
const TIMEOUT_MAX_MS = 60_000;
/** A look is a question over the network to somebody else's machine. */
const BETWEEN_MS = 1_000;
/** Each waits for an answer of its own. */
const WAITING_MAX = 8;

export interface SyncPorts {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly clock: Clock;
  readonly newId: RandomId;
}

/** What `fleet sync now` does, for those who come over HTTP; not more often than the source should bear. */
export class SyncPoke {
  readonly #ports: SyncPorts;
  #lastMs = Number.NEGATIVE_INFINITY;
  #waiting = 0;

  constructor(ports: SyncPorts) {
    this.#ports = ports;
  }

  /** `timeout` as in `9s`, or null. */
  async ask({ snapshot }: ClusterPicture, by: string, timeout: string | null): Promise<SyncAnswer> {
    const timeoutMs = timeout === null ? TIMEOUT_MS : parseDuration(timeout);
    if (timeoutMs === null || timeoutMs > TIMEOUT_MAX_MS)
      throw new ApiProblem(400, "timeout is one such as 9s, at most 60s");
    refuseOtherDriver(snapshot.release, "sync");
    const { registry, keys, clock } = this.#ports;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#lastMs < BETWEEN_MS || this.#waiting >= WAITING_MAX) {
      throw new ApiProblem(429, "the branch is being looked at already", { "Retry-After": "1" });
    }
    this.#lastMs = nowMs;
    this.#waiting++;
    try {
      const answer = await askSync({ registry, keys, by, timeoutMs }, this.#ports);
      if (answer !== null) return answer;
    } finally {
      this.#waiting--;
    }
    throw new ApiProblem(504, "no engine has looked in that time; /v1/status says whether one leads");
  }
}
