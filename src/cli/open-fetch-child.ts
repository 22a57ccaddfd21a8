import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { splitSources } from "../adapters/git/display-url.ts";
import { FetchChild } from "../adapters/git/remote/fetch-child.ts";
import { isRemoteAddress, parseRemoteAddress } from "../adapters/git/remote/remote-address.ts";
import type { Log } from "../ports/log.ts";

/** The child a daemon fetches its source in; undefined for a source that is here, or behind engines. Nothing runs before it is needed. */
export function openFetchChild(source: string, log: Log): FetchChild | undefined {
  const addresses = splitSources(source);
  if (!addresses.every(isRemoteAddress)) return undefined;
  const ssh = addresses.some((address) => parseRemoteAddress(address).kind === "ssh");
  return new FetchChild({ ...program(), ssh, log, variables: variables() });
}

/** Which authorities a machine believes is no secret. */
function variables(): Readonly<Record<string, string>> {
  const names = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "MALLOC_ARENA_MAX"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The bundle is a folder with the program at its top, and chunks beside and below; the sources are a folder with it in `cli`. */
function program(): { readonly entry: string; readonly code: readonly string[] } {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith(".ts")) {
    const entry = join(dirname(here), "fetch-child.ts");
    return { entry, code: [dirname(dirname(here)), join(dirname(here), "../../package.json")] };
  }
  let folder = dirname(here);
  while (!existsSync(join(folder, "fetch-child.js")) && folder !== dirname(folder)) folder = dirname(folder);
  return { entry: join(folder, "fetch-child.js"), code: [folder] };
}
