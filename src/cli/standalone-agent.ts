import { displayUrl } from "../adapters/git/display-url.ts";
import type { AgentIdentity } from "../daemon/member-announcer.ts";
import { StandaloneOrders } from "../daemon/standalone-orders.ts";
import { SYNC_INTERVAL_MS } from "../domain/sync/driver-policy.ts";
import type { FileStore } from "../ports/file-store.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { AgentFiles } from "../usecases/agent-files.ts";
import { MARK_FOLDER, MarkKeeper } from "../usecases/mark-keeper.ts";
import type { DaemonWorld } from "./daemon-composition.ts";
import { durationFlag } from "./daemon-flags.ts";

/** Below, a forge that serves hundreds of machines would be asked by somebody all the time. */
const POLL_MIN_MS = 1_000;

interface StandaloneFlags {
  readonly source?: string | undefined;
  readonly branch?: string | undefined;
  readonly manifest: string;
  readonly poll?: string | undefined;
}

/** What gives the agent of a machine its orders that follows git alone. Rejects with `joined-cluster` where engines do. */
export async function followGit(
  self: AgentIdentity,
  flags: StandaloneFlags,
  world: DaemonWorld,
  { files, disk }: { readonly files: AgentFiles; readonly disk: FileStore },
): Promise<StandaloneOrders> {
  const pollMs = durationFlag("poll", flags.poll) ?? SYNC_INTERVAL_MS;
  if (pollMs < POLL_MIN_MS) {
    throw new OperationError("bad-duration", `--poll ${flags.poll} is less than a second`, { next: "give 1s or more" });
  }
  const followed = {
    cluster: world.cluster,
    source: displayUrl(flags.source ?? ""),
    branch: flags.branch ?? "main",
    manifest: flags.manifest,
    pollMs,
  };
  const mark = new MarkKeeper(disk, world.cluster, MARK_FOLDER);
  const orders = new StandaloneOrders(self, followed, { ...world, files, mark });
  await orders.begin();
  return orders;
}
