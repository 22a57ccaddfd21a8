import type { CommitSignature } from "../trust/commit-signature.ts";
import { identifySigner, isKnown, type Unidentified } from "../trust/identify-signer.ts";
import type { Trust } from "../trust/trust-policy.ts";

/** What an approval says, as its commit has it. */
export interface Approval {
  readonly contentId: string;
  readonly clusterId: string;
  readonly signature: CommitSignature;
  /** Milliseconds since the epoch, as whoever made it claims. */
  readonly atMs: number;
}

export type ApprovalVerdict =
  | { readonly kind: "approved"; readonly by: readonly string[] }
  | { readonly kind: "refused"; readonly reason: Unapproved };

export type Unapproved =
  /** It is no approval one can read. */
  | { readonly code: "malformed" }
  /** It is of another plan, or of another cluster: somebody renamed a ref. */
  | { readonly code: "of-another" }
  | Unidentified;

/** Where approvals are pushed: one ref for each content, so that a second one is an update and CI needs no registry (protocol rule 37). */
export const APPROVALS_PREFIX = "refs/fleet/approvals/";

/** Whole, and nothing else: no commit of a branch reads so by accident. */
export function approvalText(contentId: string, clusterId: string): string {
  return `fleet approve ${contentId}\n\ncluster ${clusterId}\n`;
}

/**
 * Whether somebody who may sign approved that content, by what the release in force trusts. Where it trusts nobody by name, whoever can push
 * a ref counts: they could push a commit as well.
 */
export function judgeApproval(
  approval: Approval | null,
  wanted: { readonly contentId: string; readonly clusterId: string },
  trust: Trust,
): ApprovalVerdict {
  if (approval === null) return { kind: "refused", reason: { code: "malformed" } };
  const { contentId, clusterId, signature, atMs } = approval;
  if (contentId !== wanted.contentId || clusterId !== wanted.clusterId)
    return { kind: "refused", reason: { code: "of-another" } };
  if (trust.mode === "off") return { kind: "approved", by: [] };
  const signer = identifySigner(signature, trust, atMs);
  return isKnown(signer) ? { kind: "approved", by: signer.principals } : { kind: "refused", reason: signer };
}
