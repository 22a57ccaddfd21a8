import type { RegistryKeys } from "../codec/registry-keys.ts";
import { decodeServiceRecord, SERVICE_TTL_S } from "../codec/service-record.ts";
import { answerQuery, type ServiceAnswer, type ServiceQuery } from "../domain/discovery/answer-query.ts";
import { type ServiceRecord, serviceZone } from "../domain/discovery/service-records.ts";
import type { Entry } from "../ports/registry.ts";

/** A picture of the records, and whether it has changed. */
interface ServiceMirror {
  readonly changes: number;
  entries(): Iterable<Entry>;
}

/** Answers out of what the registry shows; reads it again only where something has changed. */
export class NamedServices {
  readonly zone: string;
  readonly ttlS = SERVICE_TTL_S;
  readonly #keys: RegistryKeys;
  readonly #mirror: ServiceMirror;
  #seen = -1;
  #records: readonly ServiceRecord[] = [];

  constructor(cluster: string, keys: RegistryKeys, mirror: ServiceMirror) {
    this.zone = serviceZone(cluster);
    this.#keys = keys;
    this.#mirror = mirror;
  }

  answer(query: ServiceQuery): ServiceAnswer {
    if (this.#mirror.changes !== this.#seen) {
      this.#seen = this.#mirror.changes;
      this.#records = [...this.#mirror.entries()].flatMap(({ key, value }) => {
        const record = decodeServiceRecord(key.slice(this.#keys.services.length), value);
        return record === null ? [] : [record];
      });
    }
    return answerQuery(this.zone, this.#records, query);
  }
}
