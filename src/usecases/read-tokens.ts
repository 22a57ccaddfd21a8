import type { RegistryKeys } from "../codec/registry-keys.ts";
import { decodeAdmission, decodeToken, type ShownToken } from "../codec/token-record.ts";
import type { Admission } from "../domain/join/admission.ts";
import type { Registry } from "../ports/registry.ts";

/** Tokens that may still be used, and machines that were let in by one; each sorted by its key. */
export async function readTokens(
  registry: Registry,
  keys: RegistryKeys,
): Promise<{ readonly tokens: readonly ShownToken[]; readonly admitted: readonly Admission[] }> {
  const { listings } = await registry.txn({
    when: [],
    then: [keys.tokens, keys.admissions].map((prefix) => ({ kind: "list", prefix }) as const),
  });
  const [tokens = [], admitted = []] = listings;
  return {
    tokens: tokens.map((entry) => decodeToken(keys, entry)).filter((token) => token !== null),
    admitted: admitted.map((entry) => decodeAdmission(keys, entry)).filter((admission) => admission !== null),
  };
}
