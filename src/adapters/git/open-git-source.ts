import { fileURLToPath } from "node:url";
import type { GitSource } from "../../ports/git-source.ts";
import type { Log } from "../../ports/log.ts";
import type { ObjectSource } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { displayUrl, splitSources } from "./display-url.ts";
import { openLocalGitSource } from "./local-git-source.ts";
import type { TransportOptions } from "./mirror-transport.ts";
import { isRemoteAddress, parseRemoteAddress } from "./remote/remote-address.ts";

/** What it can also be asked for by those who hand it on. */
export type OpenGitSource = GitSource & ObjectSource & { close(): Promise<void> };

export interface OpenOptions extends TransportOptions {
  readonly branch: string | null;
  readonly mirrorFolder: string;
  readonly log?: Log;
}

/**
 * The source at that address: https, http and ssh (several by commas) as a mirror in `mirrorFolder`, a path or `file://` in place, `hub:/path`
 * through the engines behind that socket. `branch`: null is `main`, or whichever the engines follow. Rejects with
 * `source-scheme-unsupported` for what is none of these.
 */
export async function openGitSource(url: string, options: OpenOptions): Promise<OpenGitSource> {
  const branch = options.branch ?? "main";
  if (url.startsWith("hub:/")) {
    const { openHubGitSource } = await import("./hub-git-source.ts");
    const target = `unix:${url.slice("hub:".length)}`;
    const { mirrorFolder: folder, log } = options;
    return openHubGitSource({ target, branch: options.branch, folder, ...(log === undefined ? {} : { log }) });
  }
  const addresses = splitSources(url);
  if (addresses.every(isRemoteAddress)) {
    addresses.forEach(parseRemoteAddress);
    const { openMirrorGitSource } = await import("./mirror-git-source.ts");
    const { fetcher, access } = options;
    return openMirrorGitSource({
      ...{ url, branch, folder: options.mirrorFolder },
      ...(fetcher === undefined ? {} : { fetcher }),
      ...(access === undefined ? {} : { access }),
    });
  }
  if (addresses.length > 1 || /^[a-z][a-z0-9+.-]*:\/\/|^[^/]+:/i.test(url.replace(/^file:\/\//, "/"))) {
    const next = "use the repository's https or ssh address (several by commas), or a path on this machine";
    throw new OperationError("source-scheme-unsupported", `fleet cannot read ${displayUrl(url)}`, { next });
  }
  return openLocalGitSource(url.startsWith("file://") ? fileURLToPath(url) : url, branch);
}
