import { isGranted, type KeySpan, type RegistryGrant } from "../src/codec/registry-roles.ts";
import { OperationError } from "../src/ports/operation-error.ts";
import type { Operation, Registry, Txn } from "../src/ports/registry.ts";

/**
 * A registry as somebody with these grants meets it: refuses what etcd's roles would (the contract test holds the two together), and
 * tells of it.
 */
export function roleRegistry(
  inner: Registry,
  grants: readonly RegistryGrant[],
  refused: (what: string) => void,
): Registry {
  const need = (access: "read" | "write", span: KeySpan) => {
    if (isGranted(grants, access, span)) return;
    refused(`${access} ${span.key}${span.reach === "prefix" ? "*" : ""}`);
    throw new OperationError("registry-denied", `may not ${access} ${span.key}`);
  };
  const spanOf = (prefix: string, exact = false): KeySpan => ({ key: prefix, reach: exact ? "key" : "prefix" });
  const needFor = (operation: Operation) => {
    if (operation.kind === "list") need("read", spanOf(operation.prefix, operation.exact));
    else if (operation.kind === "delete-prefix") need("write", spanOf(operation.prefix));
    else need("write", spanOf(operation.key, true));
  };
  return {
    async list(prefix, options) {
      need("read", spanOf(prefix, options?.exact));
      return inner.list(prefix, options);
    },
    async txn(txn: Txn) {
      for (const { key } of txn.when) need("read", spanOf(key, true));
      for (const operation of [...txn.then, ...(txn.otherwise ?? [])]) needFor(operation);
      return inner.txn(txn);
    },
    watch(prefix, after, signal) {
      need("read", spanOf(prefix));
      return inner.watch(prefix, after, signal);
    },
    grantLease: (ttlMs) => inner.grantLease(ttlMs),
    keepAlive: (lease) => inner.keepAlive(lease),
    revokeLease: (lease) => inner.revokeLease(lease),
    describe: () => inner.describe(),
    close: () => inner.close(),
  };
}
