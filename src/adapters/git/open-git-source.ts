import { fileURLToPath } from "node:url";
import type { GitSource } from "../../ports/git-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { displayUrl } from "./display-url.ts";
import { openLocalGitSource } from "./local-git-source.ts";
import { openMirrorGitSource } from "./mirror-git-source.ts";

/**
 * The source at that address: `http://` and `https://` as a mirror in `mirrorFolder`, a path or `file://` in place. Rejects
 * with `source-scheme-unsupported` for ssh.
 */
export async function openGitSource(
  url: string,
  options: { branch: string; mirrorFolder: string },
): Promise<GitSource & { close(): Promise<void> }> {
  if (/^https?:\/\//i.test(url)) {
    return openMirrorGitSource({ url, branch: options.branch, folder: options.mirrorFolder });
  }
  if (url.startsWith("file://")) return openLocalGitSource(fileURLToPath(url), options.branch);
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
  return openLocalGitSource(url, options.branch);
}
