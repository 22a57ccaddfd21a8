import type { KeyObject } from "node:crypto";
import type { NodeKey } from "../../domain/identity/node-key.ts";
import { SECRETS_ROOT } from "../../domain/secret/secret-name.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { SecretReader } from "../../ports/secret-reader.ts";
import { makeSecretsFolder } from "./secrets-folder.ts";

/** A process's own key. */
interface OwnKey {
  readonly privateKey: KeyObject;
  readonly key: NodeKey;
}

/**
 * Reads with the key of this machine. `own`: asked for each time, so that a key that comes later is found; null: it has none. What reads age is
 * loaded with the first secret: most machines have none. Before a value is handed out, there is a folder for it that is root's alone.
 */
export function machineSecrets(own: () => Promise<OwnKey | null>, folder: string = SECRETS_ROOT): SecretReader {
  return {
    async read(text) {
      const identity = await own();
      if (identity === null)
        throw new OperationError("secret-unreadable", "this machine has no key: fleet join makes one");
      const { decryptSecret } = await import("./age-files.ts");
      await makeSecretsFolder(folder);
      return decryptSecret(text, [{ machine: identity.privateKey, key: identity.key }]);
    },
  };
}
