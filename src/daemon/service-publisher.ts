import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { StatusRecord } from "../codec/registry-records.ts";
import { encodeServiceRecord, isServiceOf } from "../codec/service-record.ts";
import { type ReachableUnit, serviceRecords } from "../domain/discovery/service-records.ts";
import type { Sha256, UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import type { LeaseId, Operation, Registry } from "../ports/registry.ts";
import type { AgentIdentity } from "./member-announcer.ts";

/** etcd takes 128 in one transaction. */
const OPERATIONS_PER_TXN = 100;
const UP: ReadonlySet<string> = new Set(["active", "reloading"]);

/**
 * Keeps the addresses by which this machine's units are found: there while a unit is up and passes its checks, gone otherwise, and nothing
 * is written in between. They hang on the machine's presence: who cannot renew it cannot be believed to be there. What an agent before
 * this one left behind hangs on that one's presence, and is taken over or goes with it.
 */
export class ServicePublisher {
  readonly #registry: Registry;
  readonly #keys: RegistryKeys;
  readonly #cluster: string;
  readonly #self: AgentIdentity;
  readonly #sha256: Sha256;
  #lease: LeaseId | null = null;
  /** Values by key, as they hang on that lease. */
  readonly #told = new Map<string, string>();
  #hasLooked = false;

  constructor(
    self: AgentIdentity,
    cluster: string,
    keys: RegistryKeys,
    { registry, sha256 }: { readonly registry: Registry; readonly sha256: Sha256 },
  ) {
    this.#self = self;
    this.#cluster = cluster;
    this.#keys = keys;
    this.#registry = registry;
    this.#sha256 = sha256;
  }

  /** `wanted` without a unit withdraws it: before it is stopped, best. Rejects as the registry does; what was not written is the next call's. */
  async tell(
    wanted: readonly WantedUnit[],
    statuses: ReadonlyMap<UnitName, StatusRecord>,
    lease: LeaseId | null,
  ): Promise<void> {
    if (lease === null) return;
    if (lease !== this.#lease) this.#told.clear();
    this.#lease = lease;
    const records = new Map(
      serviceRecords(
        this.#cluster,
        { id: this.#self.machine, ...this.#self },
        reachable(wanted, statuses),
        this.#sha256,
      ).map((record) => [`${this.#keys.services}${record.path}`, encodeServiceRecord(record)]),
    );
    if (records.size === 0 && this.#told.size === 0 && (this.#hasLooked || !hasAnnouncements(wanted))) return;
    const left = await this.#leftBehind();
    const operations: Operation[] = [
      ...[...records].flatMap(([key, value]): Operation[] =>
        this.#told.get(key) === value ? [] : [{ kind: "put", key, value, lease }],
      ),
      ...[...new Set([...this.#told.keys(), ...left])].flatMap((key): Operation[] =>
        records.has(key) ? [] : [{ kind: "delete", key }],
      ),
    ];
    for (let from = 0; from < operations.length; from += OPERATIONS_PER_TXN) {
      const now = operations.slice(from, from + OPERATIONS_PER_TXN);
      await this.#registry.txn({ when: [], then: now });
      for (const operation of now) {
        if (operation.kind === "put") this.#told.set(operation.key, operation.value);
        else if (operation.kind === "delete") this.#told.delete(operation.key);
      }
    }
  }

  /** Of this machine, by an agent before this one: looked for once. */
  async #leftBehind(): Promise<readonly string[]> {
    if (this.#hasLooked) return [];
    const { entries } = await this.#registry.list(this.#keys.services);
    this.#hasLooked = true;
    return entries.flatMap(({ key }) => (isServiceOf(this.#keys, this.#self.machine, key) ? [key] : []));
  }
}

function hasAnnouncements(wanted: readonly WantedUnit[]): boolean {
  return wanted.some(({ announce }) => announce !== undefined);
}

/** Up by systemd's word, and by its own checks where it has some. */
function reachable(
  wanted: readonly WantedUnit[],
  statuses: ReadonlyMap<UnitName, StatusRecord>,
): readonly ReachableUnit[] {
  return wanted.flatMap(({ name, announce, goal, healthChecks }) => {
    const status = statuses.get(name);
    if (announce === undefined || goal !== "launched" || status === undefined || !UP.has(status.active)) return [];
    return healthChecks === undefined || status.health?.state === "passing" ? [{ unit: name, announce }] : [];
  });
}
