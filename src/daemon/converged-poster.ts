import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { CLUSTER_SHAPE, type ClusterRecord } from "../codec/registry-records.ts";
import { decodeRollout } from "../codec/rollout-record.ts";
import {
  type CommitStatus,
  convergenceStatus,
  githubRepository,
  isSettled,
} from "../domain/notify/convergence-status.ts";
import type { RolloutRecord } from "../domain/rollout/rollout-record.ts";
import { isRolloutOf } from "../domain/rollout/start-rollout.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, refusal } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import type { StatusPoster } from "../ports/status-poster.ts";
import type { NewsView } from "./news-keeper.ts";

/** How often it looks while a rollout is under way. A forge shows minutes. */
const TICK_MS = 5_000;
/** After a failure; doubled up to the second. A forge that is down for an hour gets a handful of attempts. */
const RETRY_FIRST_MS = 10_000;
const RETRY_MAX_MS = 600_000;

export interface ConvergedPosterPorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly poster: StatusPoster;
  readonly log: Log;
}

/**
 * Says at the forge how the released commit fares (`fleet/<cluster>/converged`), for as long as its engine leads, on change only. Another
 * leader says it once more, which changes nothing there. A release that has settled is not looked at again.
 */
export class ConvergedPoster {
  readonly #cluster: string;
  readonly #keys: RegistryKeys;
  readonly #look: () => Pick<NewsView, "inForce" | "report">;
  readonly #ports: ConvergedPosterPorts;
  #posted: { readonly seq: number; readonly settled: boolean; readonly status: CommitStatus } | null = null;
  #failures = 0;
  #retryAtMs = 0;

  constructor(
    { cluster, keys, look }: { cluster: string; keys: RegistryKeys; look: () => Pick<NewsView, "inForce" | "report"> },
    ports: ConvergedPosterPorts,
  ) {
    this.#cluster = cluster;
    this.#keys = keys;
    this.#look = look;
    this.#ports = ports;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    while (!signal.aborted) {
      await clock.sleep(TICK_MS, signal);
      if (signal.aborted || clock.monotonicMs() < this.#retryAtMs) continue;
      try {
        await this.#step();
        this.#failures = 0;
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        // Once for each time it begins to fail: a token that is wrong stays wrong.
        if (this.#failures === 0) log(refusal(error));
        this.#retryAtMs = clock.monotonicMs() + Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failures++);
      }
    }
  }

  async #step(): Promise<void> {
    const { inForce, report } = this.#look();
    const policy = inForce?.spec.status;
    if (inForce === null || policy === undefined) return;
    const { release } = inForce;
    const posted = this.#posted?.seq === release.seq ? this.#posted : null;
    if (posted?.settled && (report?.rollout === undefined || isSettled(report.rollout.phase))) return;
    const rollout = await this.#rolloutOf(release);
    const status = convergenceStatus(release, rollout);
    const isSame = posted?.status.state === status.state && posted.status.description === status.description;
    if (!isSame) await this.#post(status, policy.tokenFile);
    this.#posted = { seq: release.seq, settled: isSettled(rollout?.phase), status };
  }

  async #post(status: CommitStatus, tokenFile: string): Promise<void> {
    const { registry, poster } = this.#ports;
    const { entries } = await registry.list(this.#keys.cluster, { exact: true });
    const decoded = decodeRecord<ClusterRecord>(entries[0]?.value ?? "", CLUSTER_SHAPE);
    const repository = decoded.kind === "record" ? githubRepository(decoded.record.source, poster.host) : null;
    if (repository === null)
      throw new OperationError("forge-failed", `the cluster's source is no repository on ${poster.host}`);
    await poster.post(repository, `fleet/${this.#cluster}/converged`, status, tokenFile);
  }

  async #rolloutOf(
    release: { readonly seq: number } & Parameters<typeof isRolloutOf>[1],
  ): Promise<RolloutRecord | null> {
    const { entries } = await this.#ports.registry.list(this.#keys.rollout(release.seq), { exact: true });
    const decoded = decodeRollout(entries[0]?.value ?? "");
    return decoded.kind === "record" && isRolloutOf(decoded.record, release) ? decoded.record : null;
  }
}
