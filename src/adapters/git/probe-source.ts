import { OperationError } from "../../ports/operation-error.ts";
import { displayUrl } from "./display-url.ts";
import { MirrorTransport } from "./mirror-transport.ts";
import { openGitSource } from "./open-git-source.ts";

/** Enough for the list of a repository's branches; no pack is fetched. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** Whether that branch is at that source, without fetching it; why not, or null. `withinMs`: for one question over the network. */
export async function probeSource(
  url: string,
  branch: string,
  withinMs: number,
): Promise<{ readonly address: string; readonly problem: string | null }> {
  const address = displayUrl(url);
  try {
    if (/^https?:\/\//i.test(url)) {
      const limits = { pollTimeoutMs: withinMs, transferTimeoutMs: withinMs, packBytesMax: ANSWER_BYTES_MAX };
      await new MirrorTransport(url, branch, limits).remoteTip();
    } else {
      const source = await openGitSource(url, { branch, mirrorFolder: "" });
      await source.fetch();
      await source.close();
    }
    return { address, problem: null };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { address, problem: `${error.code}: ${error.message}` };
  }
}
