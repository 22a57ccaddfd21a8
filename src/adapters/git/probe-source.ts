import { splitSources } from "./display-url.ts";
import { inOrder } from "./in-order.ts";
import { MIRROR_LIMITS, MirrorTransport } from "./mirror-transport.ts";
import { openGitSource } from "./open-git-source.ts";
import type { RemoteAccess } from "./remote/remote-access.ts";
import { isRemoteAddress } from "./remote/remote-address.ts";

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
export async function probeSource(
  url: string,
  branch: string,
  withinMs: number,
  access: RemoteAccess = {},
): Promise<void> {
  const addresses = splitSources(url);
  if (addresses.every(isRemoteAddress)) {
    const transport = new MirrorTransport(branch, { ...MIRROR_LIMITS, pollTimeoutMs: withinMs }, { access });
    await inOrder(addresses, (remote) => transport.tipAt(remote));
    return;
  }
  const source = await openGitSource(url, { branch, mirrorFolder: "" });
  await source.fetch();
  await source.close();
}
