import { fileURLToPath } from "node:url";
import type { GitSource } from "../../ports/git-source.ts";
import type { Log } from "../../ports/log.ts";
import type { ObjectSource } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { displayUrl } from "./display-url.ts";
import { openLocalGitSource } from "./local-git-source.ts";
import { openMirrorGitSource } from "./mirror-git-source.ts";

/** What it can also be asked for by those who hand it on. */
export type OpenGitSource = GitSource & ObjectSource & { close(): Promise<void> };

/**
 * The source at that address: `http://` and `https://` as a mirror in `mirrorFolder`, a path or `file://` in place, `hub:/path` through the
 * engines behind that socket. `branch`: null is `main`, or whichever the engines follow. Rejects with `source-scheme-unsupported` for ssh.
 */
export async function openGitSource(
  url: string,
  options: { branch: string | null; mirrorFolder: string; log?: Log },
): Promise<OpenGitSource> {
  const branch = options.branch ?? "main";
  if (url.startsWith("hub:/")) {
    const { openHubGitSource } = await import("./hub-git-source.ts");
    const target = `unix:${url.slice("hub:".length)}`;
    const { mirrorFolder: folder, log } = options;
    return openHubGitSource({ target, branch: options.branch, folder, ...(log === undefined ? {} : { log }) });
  }
  if (/^https?:\/\//i.test(url)) return openMirrorGitSource({ url, branch, folder: options.mirrorFolder });
  if (url.startsWith("file://")) return openLocalGitSource(fileURLToPath(url), branch);
  // scp's user@host:path has a colon before its first slash, as every scheme does.
  if (/^[^/]+:/.test(url)) {
    throw new OperationError(
      "source-scheme-unsupported",
      `fleet cannot read ${displayUrl(url)}: only https, http and local paths`,
      {
        next: "use the repository's https address, or mirror it with `git clone --mirror` and give that path",
      },
    );
  }
  return openLocalGitSource(url, branch);
}
