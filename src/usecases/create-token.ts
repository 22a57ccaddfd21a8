import type { RegistryKeys } from "../codec/registry-keys.ts";
import { encodeToken, type ShownToken } from "../codec/token-record.ts";
import { hashOfToken, printSiteToken } from "../domain/join/site-token.ts";
import type { Sha256 } from "../domain/names.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";

export interface NewToken {
  readonly clusterId: string;
  /** From now on. */
  readonly forMs: number;
  readonly by: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly namePrefix: string;
}

/**
 * A token, as text, which is kept nowhere: the registry has its hash, under a lease that ends it. A lost reply leaves at worst one
 * that nobody knows.
 */
export async function createToken(
  registry: Registry,
  keys: RegistryKeys,
  wanted: NewToken,
  { clock, newId, sha256 }: { readonly clock: Clock; readonly newId: RandomId; readonly sha256: Sha256 },
): Promise<{ readonly text: string; readonly token: ShownToken }> {
  const { clusterId, forMs, by, metadata, namePrefix } = wanted;
  const createdMs = clock.wallMs();
  const lease = await registry.grantLease(forMs);
  // Whole seconds, as its text has them.
  const expiresMs = Math.floor((createdMs + forMs) / 1000) * 1000;
  const secret = { clusterId, expiresMs, secret: newId() };
  const token: ShownToken = { hash: hashOfToken(secret, sha256), by, createdMs, expiresMs, metadata, namePrefix };
  const put = { kind: "put", key: keys.token(token.hash), value: encodeToken(token, newId()), lease } as const;
  const isThere = { key: keys.cluster, target: "create", is: ">", value: 0 } as const;
  const { succeeded } = await registry.txn({ when: [isThere], then: [put] });
  if (!succeeded) throw new OperationError("no-cluster", "the cluster's record is gone", { next: "fleet apply" });
  return { text: printSiteToken(secret), token };
}
