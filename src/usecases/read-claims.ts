import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { CLAIM_SHAPE, type ClaimRecord } from "../codec/registry-records.ts";
import { type MachineId, parseMachineId } from "../domain/names.ts";
import type { RegistryReader } from "../ports/registry.ts";

/** A machine that was refused, because another one with its machine id is present and said so. */
export interface RefusedMachine {
  /** The id both have. */
  readonly machine: MachineId;
  readonly bootId: string;
  readonly name: string;
  readonly address: string;
}

/** Those that were answered; a claim nobody answers is a machine's that has just booted. Sorted by id, then boot. */
export async function readClaims(registry: RegistryReader, keys: RegistryKeys): Promise<RefusedMachine[]> {
  const [claims = [], presences = []] = (
    await registry.txn({
      when: [],
      then: ["claims/", "presence/"].map((prefix) => ({ kind: "list", prefix: `${keys.root}${prefix}` }) as const),
    })
  ).listings;
  const answers = new Map(presences.map(({ key, modRevision }) => [key, modRevision]));
  return claims.flatMap(({ key, value, modRevision }): RefusedMachine[] => {
    const [id = "", bootId = ""] = key.slice(`${keys.root}claims/`.length).split("/");
    const machine = parseMachineId(id);
    const decoded = decodeRecord<ClaimRecord>(value, CLAIM_SHAPE);
    if (machine === null || decoded.kind !== "record") return [];
    if ((answers.get(keys.presence(machine)) ?? 0) < modRevision) return [];
    const { name, address } = decoded.record;
    return [{ machine, bootId, name, address }];
  });
}
