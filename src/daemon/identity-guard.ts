import { decodeRecord, encodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { type ClaimRecord, PRESENCE_SHAPE, type PresenceRecord } from "../codec/registry-records.ts";
import type { StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import { ANSWER_PATIENCE_MS, type IdentityVerdict, judgeIdentity } from "../domain/cluster/judge-identity.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import { type Log, warning } from "../ports/log.ts";
import type { LeaseId, Registry } from "../ports/registry.ts";
import type { AgentIdentity } from "./member-announcer.ts";
import type { RegistryMirror } from "./registry-mirror.ts";

interface GuardPorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly log: Log;
}

/** Keeps an agent from acting for a machine id that another machine has: see `judgeIdentity`. */
export class IdentityGuard {
  readonly #self: AgentIdentity;
  readonly #keys: RegistryKeys;
  readonly #mirror: RegistryMirror;
  readonly #ports: GuardPorts;
  #askedMs: number | null = null;
  #claimedAt = 0;
  #wasRefused = false;

  constructor(self: AgentIdentity, keys: RegistryKeys, mirror: RegistryMirror, ports: GuardPorts) {
    this.#self = self;
    this.#keys = keys;
    this.#mirror = mirror;
    this.#ports = ports;
  }

  /** Why this agent does nothing, for whoever asks on its machine; null: it may. */
  get problem(): StatusProblem | null {
    if (!this.#wasRefused) return null;
    return { code: "duplicate-machine", detail: "another machine has this machine's id", journal: [] };
  }

  /** How soon to ask again, in milliseconds, where this agent must not act now; null: it may. Before the registry was heard nothing is known. */
  async mustWaitMs(lease: LeaseId | null): Promise<number | null> {
    if (!this.#mirror.complete || this.#mirror.revision < this.#claimedAt)
      return this.#wasRefused ? ANSWER_PATIENCE_MS : null;
    const verdict = this.#judge();
    if (verdict === "ours" || verdict === "silent") return null;
    if (verdict === "refused") {
      this.#refused();
      return ANSWER_PATIENCE_MS;
    }
    if (verdict === "ask") await this.#claim(lease);
    return Math.max(0, ANSWER_PATIENCE_MS - this.#waitedMs());
  }

  #judge(): IdentityVerdict {
    const presence = this.#presence();
    const claim = this.#mirror.get(this.#keys.claim(this.#self.machine, this.#self.bootId));
    return judgeIdentity({
      bootId: this.#self.bootId,
      presence,
      claimRevision: claim?.modRevision ?? null,
      waitedMs: this.#waitedMs(),
      wasRefused: this.#wasRefused,
    });
  }

  /** A record that nobody can read is taken for our own, and written over. */
  #presence() {
    const entry = this.#mirror.get(this.#keys.presence(this.#self.machine));
    const decoded = entry === null ? null : decodeRecord<PresenceRecord>(entry.value, PRESENCE_SHAPE);
    if (entry === null || decoded?.kind !== "record") return null;
    return { bootId: decoded.record.bootId, modRevision: entry.modRevision };
  }

  #waitedMs(): number {
    return this.#askedMs === null ? 0 : this.#ports.clock.monotonicMs() - this.#askedMs;
  }

  /** Under our lease, so that it goes with us. */
  async #claim(lease: LeaseId | null): Promise<void> {
    if (lease === null) return;
    const { machine, bootId, name, address } = this.#self;
    const record: ClaimRecord = { name, address, op: this.#ports.newId() };
    const { revision } = await this.#ports.registry.txn({
      when: [],
      then: [{ kind: "put", key: this.#keys.claim(machine, bootId), value: encodeRecord(record), lease }],
    });
    this.#claimedAt = revision;
    this.#askedMs ??= this.#ports.clock.monotonicMs();
  }

  #refused(): void {
    if (this.#wasRefused) return;
    this.#wasRefused = true;
    const { machine, bootId } = this.#self;
    const other = this.#presence()?.bootId ?? "unknown";
    const next = "if its image was copied: rm /etc/machine-id, systemd-machine-id-setup, then restart fleet-agent";
    this.#ports.log(
      warning(
        `duplicate-machine: boot ${other} has machine id ${machine}, so this one (boot ${bootId}) does nothing; ${next}`,
      ),
    );
  }
}
