import { MirrorTransport } from "./mirror-transport.ts";
import { openGitSource } from "./open-git-source.ts";

/** Enough for the list of a repository's branches; no pack is fetched. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** Asks engines for the tip of the branch they follow, through the relay behind that socket. */
export async function probeEngines(socketPath: string, withinMs: number): Promise<void> {
  const { ObjectClient } = await import("./object-client.ts");
  const client = new ObjectClient(`unix:${socketPath}`, { tipTimeoutMs: withinMs, answerTimeoutMs: withinMs });
  try {
    await client.tip("");
  } finally {
    client.close();
  }
}

/**
 * Looks for that branch at that source, without fetching it. `withinMs`: for one question over the network. Rejects with OperationError as
 * a fetch does.
 */
export async function probeSource(url: string, branch: string, withinMs: number): Promise<void> {
  if (/^https?:\/\//i.test(url)) {
    const limits = { pollTimeoutMs: withinMs, transferTimeoutMs: withinMs, packBytesMax: ANSWER_BYTES_MAX };
    await new MirrorTransport(url, branch, limits).remoteTip();
    return;
  }
  const source = await openGitSource(url, { branch, mirrorFolder: "" });
  await source.fetch();
  await source.close();
}
