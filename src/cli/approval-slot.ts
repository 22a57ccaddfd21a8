import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { APPROVERS_MAX, approvalRef } from "../domain/sync/judge-approval.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";

const GIT_TIMEOUT_MS = 10_000;

/**
 * Which of a content's refs is this person's: the one they pushed before, else the first that nobody has. By the name in it, which proves
 * nothing: whose approval counts, its signature says. Rejects with `too-many-approvals` where all are others'.
 */
export async function approvalSlot(
  contentId: string,
  directory: string,
  source: Pick<GitSource, "commitAt">,
): Promise<string> {
  const { stdout } = await promisify(execFile)("git", ["-C", directory, "config", "--get", "user.email"], {
    timeout: GIT_TIMEOUT_MS,
  }).catch(() => ({ stdout: "" }));
  return approvalSlotOf(stdout.trim(), contentId, source);
}

/** The same for whoever has that address. */
export async function approvalSlotOf(
  email: string,
  contentId: string,
  source: Pick<GitSource, "commitAt">,
): Promise<string> {
  for (let index = 0; index < APPROVERS_MAX; index++) {
    const ref = approvalRef(contentId, index);
    const raw = (await source.commitAt?.(ref)) ?? null;
    if (raw === null || isOf(raw, email)) return ref;
  }
  throw new OperationError("too-many-approvals", `${APPROVERS_MAX} others have approved that content already`, {
    next: "have one of them approve it again, or delete a ref that does not count",
  });
}

function isOf(raw: Uint8Array, email: string): boolean {
  const head = Buffer.from(raw).toString("utf8").split("\n\n", 1)[0]!;
  return email !== "" && /^committer .* <(.*)> \d+ [+-]\d{4}$/m.exec(head)?.[1] === email;
}
