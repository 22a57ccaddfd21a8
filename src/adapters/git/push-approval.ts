import { type PushedCommit, pushCommit } from "./push-commit.ts";

/** `directory`: its git configuration says who approves, and with which key. */
export type ApprovalPush = Omit<PushedCommit, "files" | "told">;

const TOLD = {
  notMade: {
    code: "approval-not-made",
    next: "git must know who you are (user.name, user.email), and to sign with which key (gpg.format, user.signingkey)",
  },
  notPushed: { code: "approval-not-pushed", next: "whoever approves must be allowed to push to the source" },
} as const;

/**
 * A commit without parents or files behind the ref; another approval of the same content takes the place of the one before. The commit's
 * id. Rejects with `approval-not-made` (no name, no key) or `approval-not-pushed`.
 */
export function pushApproval(push: ApprovalPush): Promise<string> {
  return pushCommit({ ...push, files: {}, told: TOLD });
}
