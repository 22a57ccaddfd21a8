import type { CommitSignature } from "../trust/commit-signature.ts";
import { countDifferent, eligible } from "../trust/different-signers.ts";
import { identifySigner, isKnown, type KnownSigner, type Unidentified } from "../trust/identify-signer.ts";
import type { Trust, TrustRule } from "../trust/trust-policy.ts";

/** What an approval says, as its commit has it. */
export interface Approval {
  readonly contentId: string;
  readonly clusterId: string;
  /** Whoever made it knew that a mass of units stops by it. */
  readonly allowsDeletes: boolean;
  readonly signature: CommitSignature;
  /** Milliseconds since the epoch, as whoever made it claims. */
  readonly atMs: number;
}

/** What is to be approved. */
export interface Approvable {
  readonly contentId: string;
  readonly clusterId: string;
  /** It stops a mass of units (`massChange`), which nobody approves by the way. */
  readonly stopsMany: boolean;
  /** Rules of the trust in force whose files it changes: each asks for its own signers, and for as many. */
  readonly rules: readonly TrustRule[];
}

export type ApprovalVerdict =
  | { readonly kind: "approved"; readonly by: readonly string[] }
  | { readonly kind: "refused"; readonly reason: Unapproved };

export type Unapproved =
  /** It is no approval one can read. */
  | { readonly code: "malformed" }
  /** It is of another plan, or of another cluster: somebody renamed a ref. */
  | { readonly code: "of-another" }
  /** It does not say that a mass of units may stop. */
  | { readonly code: "deletes-unsaid" }
  | Unidentified
  /** Others must approve as well. `approvedBy`: who has. */
  | {
      readonly code: "too-few";
      readonly paths: readonly string[];
      readonly signers: readonly string[];
      readonly count: number;
      readonly approvedBy: readonly string[];
    };

/** Where approvals are pushed: refs for each content, so that a second one is an update and CI needs no registry (protocol rule 37). */
export const APPROVALS_PREFIX = "refs/fleet/approvals/";
/** Approvals of one content that are looked for: a rule that asks for more people than that is approved by nobody. */
export const APPROVERS_MAX = 8;

/** Of the first, the second, … who approve a content: nobody's takes the place of another's. */
export function approvalRef(contentId: string, index: number): string {
  return `${APPROVALS_PREFIX}${contentId}${index === 0 ? "" : `.${index + 1}`}`;
}

/** Whole, and nothing else: no commit of a branch reads so by accident. */
export function approvalText(contentId: string, clusterId: string, allowsDeletes = false): string {
  return `fleet approve ${contentId}\n\ncluster ${clusterId}\n${allowsDeletes ? "allow-deletes\n" : ""}`;
}

/**
 * Whether those who may sign approved that content, by what the release in force trusts: as many, and of whom, as the rules of the files it
 * changes ask for. Where it trusts nobody by name, whoever can push a ref counts: they could push a commit as well. `approvals`: of the refs
 * that are there, null where one is none.
 */
export function judgeApproval(
  approvals: readonly (Approval | null)[],
  wanted: Approvable,
  trust: Trust,
): ApprovalVerdict {
  const signers: KnownSigner[] = [];
  let first: Unapproved | null = null;
  for (const approval of approvals) {
    const refused = whyNot(approval, wanted);
    if (refused !== null || approval === null) {
      first ??= refused;
      continue;
    }
    if (trust.mode === "off") return { kind: "approved", by: [] };
    const signer = identifySigner(approval.signature, trust, approval.atMs);
    if (isKnown(signer)) signers.push(signer);
    else first ??= signer;
  }
  const approvedBy = [...new Set(signers.flatMap(({ principals }) => principals))];
  if (signers.length === 0) return { kind: "refused", reason: first ?? { code: "malformed" } };
  const unmet = wanted.rules.find((rule) => countDifferent(eligible(signers, rule), rule.signers) < rule.count);
  if (unmet === undefined) return { kind: "approved", by: approvedBy };
  const { paths, signers: names, count } = unmet;
  return { kind: "refused", reason: { code: "too-few", paths, signers: names, count, approvedBy } };
}

function whyNot(approval: Approval | null, { contentId, clusterId, stopsMany }: Approvable): Unapproved | null {
  if (approval === null) return { code: "malformed" };
  if (approval.contentId !== contentId || approval.clusterId !== clusterId) return { code: "of-another" };
  return stopsMany && !approval.allowsDeletes ? { code: "deletes-unsaid" } : null;
}
