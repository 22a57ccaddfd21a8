import type { RegistryKeys } from "../codec/registry-keys.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { readTokens } from "./read-tokens.ts";

/** As few digits of its hash as tell a token from the others, as `fleet token list` shows them. */
const DIGITS_MIN = 8;

/** Takes a token back, by the beginning of its hash; the whole hash of the one that went. Whom it has let in already stays in. */
export async function revokeToken(registry: Registry, keys: RegistryKeys, digits: string): Promise<string> {
  if (!new RegExp(`^[0-9a-f]{${DIGITS_MIN},64}$`).test(digits)) {
    throw new OperationError("bad-token-id", `${digits} is not the id of a token`, { next: "fleet token list" });
  }
  const { tokens } = await readTokens(registry, keys);
  const meant = tokens.filter(({ hash }) => hash.startsWith(digits));
  const only = meant[0];
  if (only === undefined || meant.length > 1) {
    const saw = only === undefined ? `no token's id begins with ${digits}` : `${meant.length} ids begin with ${digits}`;
    throw new OperationError(only === undefined ? "token-unknown" : "which-token", saw, { next: "fleet token list" });
  }
  const { succeeded } = await registry.txn({
    when: [{ key: keys.token(only.hash), target: "create", is: ">", value: 0 }],
    then: [{ kind: "delete", key: keys.token(only.hash) }],
  });
  if (succeeded) return only.hash;
  throw new OperationError("token-unknown", "it has been used, or has ended, at this very moment", {
    next: "fleet token list",
  });
}
