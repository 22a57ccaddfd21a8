import { join } from "node:path";
import { splitSources } from "../adapters/git/display-url.ts";
import type { RemoteAccess } from "../adapters/git/remote/remote-access.ts";
import { parseRemoteAddress } from "../adapters/git/remote/remote-address.ts";
import {
  DEPLOY_KEY_FILE,
  ensureDeployKey,
  giveTo,
  KNOWN_HOSTS_FILE,
  readIfThere,
} from "../adapters/join/deploy-key.ts";
import { knownHostName, scanHostKeys } from "../adapters/join/scan-host-keys.ts";
import { OperationError } from "../ports/operation-error.ts";
import { askYes } from "./ask-yes.ts";
import type { Joining } from "./joining.ts";

/**
 * What fetching by ssh needs on this machine, for its agent and its engine: a key for the forge, and the hosts that are believed. A host is asked
 * for its keys once; `hostKeys` are fingerprints that somebody has compared already. Rejects with `host-key-differs`, `host-not-trusted`,
 * `not-approved`.
 */
export async function prepareSsh(
  url: string,
  hostKeys: readonly string[],
  { stateFolder, name }: Joining,
  talk: { readonly print: (text: string) => void; readonly say: (text: string) => void },
): Promise<RemoteAccess> {
  const folders = [stateFolder, `${stateFolder}-engine`];
  talk.print(await ensureDeployKey(folders, `fleet@${name}`));
  talk.say("this is the public half of this machine's deploy key, for the repository's forge; it need not write");
  let known = (await readIfThere(join(stateFolder, KNOWN_HOSTS_FILE))) ?? "";
  for (const address of splitSources(url).map(parseRemoteAddress)) {
    if (address.kind !== "ssh") continue;
    const shown = knownHostName(address.host, address.port);
    if (known.split("\n").some((line) => line.startsWith(`${shown} `))) continue;
    known += await trustedLines(url, address.host, address.port, hostKeys, talk.say);
  }
  for (const folder of folders) await giveTo(folder, KNOWN_HOSTS_FILE, known);
  const keyFile = join(stateFolder, DEPLOY_KEY_FILE);
  return { ssh: { kind: "pinned", keyFile, knownHostsFile: join(stateFolder, KNOWN_HOSTS_FILE) } };
}

async function trustedLines(
  url: string,
  host: string,
  port: number | null,
  hostKeys: readonly string[],
  say: (text: string) => void,
): Promise<string> {
  const keys = await scanHostKeys(host, port);
  say(`${knownHostName(host, port)} shows:`);
  for (const { type, fingerprint } of keys) say(`  ${type} ${fingerprint}`);
  const lines = (chosen: typeof keys) => chosen.map(({ line }) => `${line}\n`).join("");
  if (hostKeys.length > 0) {
    const compared = keys.filter(({ fingerprint }) => hostKeys.includes(fingerprint));
    if (compared.length > 0) return lines(compared);
    throw new OperationError("host-key-differs", `${host} shows none of the host keys given`, {
      next: "compare with what the forge publishes; if they differ, somebody is in between",
    });
  }
  if (!process.stdin.isTTY) {
    throw new OperationError("not-approved", "nobody is there to say whether these are the host's keys", {
      next: `compare with what the forge publishes, then: fleet join ${url} --host-key ${keys[0]!.fingerprint}`,
    });
  }
  if (await askYes("Trust these keys?")) return lines(keys);
  throw new OperationError("host-not-trusted", "the machine was not joined", {
    next: "compare with what the forge publishes",
  });
}
