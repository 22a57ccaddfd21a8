import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RemoteAccess } from "../adapters/git/remote/remote-access.ts";
import { DEPLOY_KEY_FILE, KNOWN_HOSTS_FILE } from "../adapters/join/deploy-key.ts";

/** systemd's `LoadCredential=source-credentials:…` puts it into a folder of that name. */
const CREDENTIAL = "source-credentials";

/**
 * What a daemon opens its source's door with: the file of credentials it is told of, else the one systemd hands it; over ssh the deploy key and
 * the hosts that `fleet join` left in its state folder, and nothing of whoever runs it.
 */
export function sourceAccess(
  flags: { readonly "source-credentials"?: string | undefined; readonly "state-directory": string },
  environment: NodeJS.ProcessEnv = process.env,
): RemoteAccess {
  const handed = environment.CREDENTIALS_DIRECTORY;
  const loaded = handed === undefined ? null : join(handed, CREDENTIAL);
  const credentialsFile = flags["source-credentials"] ?? (loaded !== null && existsSync(loaded) ? loaded : undefined);
  const state = flags["state-directory"];
  return {
    ...(credentialsFile === undefined ? {} : { credentialsFile }),
    ssh: {
      kind: "pinned",
      keyFile: join(state, DEPLOY_KEY_FILE),
      knownHostsFile: join(state, KNOWN_HOSTS_FILE),
    },
  };
}
