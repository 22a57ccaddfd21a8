import { decodeRecord, encodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { MEMBER_SHAPE, type MemberRecord, PRESENCE_SHAPE, type PresenceRecord } from "../codec/registry-records.ts";
import type { Resources } from "../domain/cluster/resources.ts";
import type { MachineId } from "../domain/names.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { Entry, Registry } from "../ports/registry.ts";
import type { RegistryMirror } from "./registry-mirror.ts";

/** What a machine is from its first breath on: it changes with a boot or a restart of its agent only. */
export interface AgentIdentity {
  readonly machine: MachineId;
  readonly name: string;
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly bootId: string;
  readonly version: string;
  /** Absent: it is not to be known, and whatever is placed here fits. */
  readonly capacity?: Resources;
}

/** What its member record says beyond its identity, and what only the announcer knows. */
export type MemberNews = Omit<MemberRecord, keyof AgentIdentity | "joined">;

interface AnnouncerPorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly newId: RandomId;
}

/** Keeps this machine's member record and its leased presence key as they should be; writes only what differs. */
export class MemberAnnouncer {
  readonly #self: AgentIdentity;
  readonly #keys: RegistryKeys;
  readonly #ports: AnnouncerPorts;
  readonly #ttlMs: () => number;
  /** The registry's revision after the last write: a mirror that is behind it shows what was there before. */
  #writtenAt = 0;
  #said: { readonly saying: string; readonly shown: Entry | null; readonly text: string } | null = null;

  /** `ttlMs`: of the leases it is given. */
  constructor(self: AgentIdentity, keys: RegistryKeys, ttlMs: () => number, ports: AnnouncerPorts) {
    this.#self = self;
    this.#keys = keys;
    this.#ttlMs = ttlMs;
    this.#ports = ports;
  }

  /** `lease` is null while the machine has none, which leaves the presence key as it is. */
  async announce(news: MemberNews, lease: string | null, mirror: RegistryMirror): Promise<void> {
    if (!mirror.connected || mirror.revision < this.#writtenAt) return;
    const memberKey = this.#keys.member(this.#self.machine);
    const presenceKey = this.#keys.presence(this.#self.machine);
    const shown = mirror.get(memberKey);
    const text = this.#textOf(news, shown);
    const known = shown?.value === text;
    const there = mirror.get(presenceKey);
    if (there !== null && !this.#isOurs(there)) return;
    const present = lease === null || (there?.lease === lease && there.modRevision > this.#lastClaim(mirror));
    if (known && present) return;
    const record: PresenceRecord = { bootId: this.#self.bootId, op: this.#ports.newId(), ttlMs: this.#ttlMs() };
    const presence = encodeRecord(record);
    const { succeeded, revision } = await this.#ports.registry.txn({
      // Whose the id is was judged by what the mirror shows.
      when: [{ key: presenceKey, target: "mod", is: "=", value: there?.modRevision ?? 0 }],
      then: [
        ...(known ? [] : [{ kind: "put", key: memberKey, value: text } as const]),
        ...(present ? [] : [{ kind: "put", key: presenceKey, value: presence, lease } as const]),
      ],
    });
    if (succeeded) this.#writtenAt = revision;
  }

  /** Of this boot, or of nobody who can be told: another boot's stays until its lease ends (`judgeIdentity`). */
  #isOurs({ value }: Entry): boolean {
    const decoded = decodeRecord<PresenceRecord>(value, PRESENCE_SHAPE);
    return decoded.kind !== "record" || decoded.record.bootId === this.#self.bootId;
  }

  /** The revision of the last claim to our id; our presence is written again after it, and so answers. */
  #lastClaim(mirror: RegistryMirror): number {
    const prefix = this.#keys.claims(this.#self.machine);
    const own = this.#keys.claim(this.#self.machine, this.#self.bootId);
    let last = 0;
    for (const { key, modRevision } of mirror.entries()) {
      if (modRevision > last && key.startsWith(prefix) && key !== own) last = modRevision;
    }
    return last;
  }

  /** Most passes have the same to say as the one before. */
  #textOf(news: MemberNews, shown: Entry | null): string {
    const saying = JSON.stringify(news);
    if (shown !== null && this.#said?.shown === shown && this.#said.saying === saying) return this.#said.text;
    const text = encodeRecord(this.#member(news, shown?.value ?? null));
    this.#said = { saying, shown, text };
    return text;
  }

  #member(news: MemberNews, shown: string | null): MemberRecord {
    const before = shown === null ? null : decodeRecord<MemberRecord>(shown, MEMBER_SHAPE);
    const known = before?.kind === "record" ? before.record : null;
    const joined = known?.joined ?? new Date(this.#ports.clock.wallMs()).toISOString();
    const { machine: _, ...self } = this.#self;
    // Of a machine that has forgotten it this is the only copy.
    const mark = known?.acceptedCommit === undefined ? {} : { acceptedCommit: known.acceptedCommit };
    return { ...self, joined, ...mark, ...news };
  }
}
