import type { Unapproved } from "../domain/sync/judge-approval.ts";
import { untrustedText } from "./untrusted-detail.ts";

/** Of who approved, in a report. */
const TEXT_MAX = 400;

/** Why an approval that was pushed does not count, in a report's words. */
export function unapprovedText(reason: Unapproved): string {
  return textOf(reason).slice(0, TEXT_MAX);
}

function textOf(reason: Unapproved): string {
  switch (reason.code) {
    case "malformed":
      return "what was pushed for it is no approval";
    case "of-another":
      return "the approval is of another content or another cluster";
    case "deletes-unsaid":
      return "it stops a mass of units, and the approval does not say that they may; fleet approve --allow-deletes says so";
    case "too-few": {
      const { count, signers, paths, approvedBy } = reason;
      const whom = signers.length === 0 ? "" : ` of ${signers.join(", ")}`;
      const asked = count === 1 ? `one approval${whom}` : `${count} approvals of different people${whom}`;
      return `the rule of ${paths.join(", ")} asks for ${asked}; it is approved by ${approvedBy.join(", ")}`;
    }
    default:
      return `the approval ${untrustedText(reason)}`;
  }
}
