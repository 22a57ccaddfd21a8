import type { RegistryScope } from "../src/codec/machine-scope.ts";
import { OperationError } from "../src/ports/operation-error.ts";
import type { Registry } from "../src/ports/registry.ts";

/** A registry as a machine meets it through a front: refuses what its scope does (the front's own tests hold the two together), and tells of it. */
export function scopedRegistry(inner: Registry, scope: RegistryScope, refused: (what: string) => void): Registry {
  const need = (forbidden: string | null) => {
    if (forbidden === null) return;
    refused(forbidden);
    throw new OperationError("forbidden-key", `may not ${forbidden}`);
  };
  const read = (prefix: string, exact = false) => need(scope.mayRead(prefix, exact) ? null : `read ${prefix}`);
  return {
    async list(prefix, options) {
      read(prefix, options?.exact);
      return inner.list(prefix, options);
    },
    async txn(txn) {
      need(scope.forbiddenIn(txn));
      return inner.txn(txn);
    },
    watch(prefix, after, signal) {
      read(prefix);
      return inner.watch(prefix, after, signal);
    },
    grantLease: (ttlMs) => inner.grantLease(ttlMs),
    keepAlive: (lease) => inner.keepAlive(lease),
    revokeLease: (lease) => inner.revokeLease(lease),
    describe: () => inner.describe(),
    close: () => inner.close(),
  };
}
