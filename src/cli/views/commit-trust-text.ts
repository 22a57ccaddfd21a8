import type { Untrusted } from "../../domain/trust/judge-commit.ts";
import { CHECKED_MODES, type CheckedCommit, type TrustCheck } from "../../usecases/check-trust.ts";
import { untrustedText } from "../../usecases/untrusted-detail.ts";
import { counted } from "./counted.ts";
import { printable } from "./printable.ts";
import { table } from "./table.ts";

const SUBJECT_LENGTH = 48;
const REASONS_SHOWN = 5;

/** Who signed the last commits, and what each mode would say of them. */
export function trustCheckText({ mode, commits }: TrustCheck): string {
  const rows = commits.map(({ described, signedBy, refused }) => [
    described.commit.slice(0, 8),
    signedBy?.join(",") ?? "-",
    ...CHECKED_MODES.map((each) => refused[each]?.code ?? "ok"),
    described.subject.slice(0, SUBJECT_LENGTH),
  ]);
  const lines = [table(["commit", "signed by", ...CHECKED_MODES, "subject"], rows), ""];
  for (const each of CHECKED_MODES) {
    const bad = commits.filter(({ refused }) => refused[each] !== null).length;
    lines.push(
      `${each}: ${bad === 0 ? `all ${commits.length} would be taken` : `${bad} of ${commits.length} refused`}`,
    );
  }
  lines.push(`in force here: ${mode}`);
  const reasons = whyRefused(commits);
  if (reasons.length > 0) lines.push("", ...reasons);
  return lines.join("\n");
}

/** The newest few that any mode would refuse, in words. */
function whyRefused(commits: readonly CheckedCommit[]): readonly string[] {
  const refused = commits.flatMap(({ described, refused: by }) => {
    const reason: Untrusted | null = by.head ?? by.range ?? by.strict;
    return reason === null ? [] : [`${described.commit.slice(0, 8)} ${untrustedText(reason)}`];
  });
  const more = refused.length - REASONS_SHOWN;
  const rest = more > 0 ? [`and ${counted(more, "more commit")}`] : [];
  return [...refused.slice(0, REASONS_SHOWN).map(printable), ...rest];
}
