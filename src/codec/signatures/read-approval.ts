import { type Approval, approvalText } from "../../domain/sync/judge-approval.ts";
import { readSignature } from "./read-signature.ts";
import { cutCommit } from "./signed-commit.ts";

/** An approval is two short lines. */
const APPROVAL_BYTES_MAX = 64 * 1024;

/** What the raw commit behind an approval's ref says; null where it is none. It has no parents: no history hangs on it. */
export function readApproval(raw: Uint8Array): Approval | null {
  if (raw.length > APPROVAL_BYTES_MAX) return null;
  const cut = cutCommit(raw);
  if (cut === null || cut.parents.length > 0) return null;
  const text = Buffer.from(cut.payload).toString("latin1");
  const message = text.slice(text.indexOf("\n\n") + 2);
  const [, contentId = "", clusterId = "", deletes] =
    /^fleet approve ([0-9a-f]{64})\n\ncluster (\S{1,64})\n(allow-deletes\n)?$/.exec(message) ?? [];
  const allowsDeletes = deletes !== undefined;
  if (message !== approvalText(contentId, clusterId, allowsDeletes)) return null;
  return { contentId, clusterId, allowsDeletes, signature: readSignature(cut), atMs: cut.committedMs };
}
