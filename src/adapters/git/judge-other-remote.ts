import type { CommitId } from "../../domain/names.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { CommitReader } from "./commit-reader.ts";
import { displayUrl } from "./display-url.ts";

/** What the tip of another remote is to ours. `unknown`: not enough history is to be had. */
export type OtherTip = "ahead" | "behind" | "diverged" | "unknown";

/** Both commits are here; `deepen` brings more of the other remote's history, or says that there is no more to ask for. */
export async function judgeOtherRemote(
  reader: CommitReader,
  tips: { readonly ours: string; readonly theirs: string },
  deepen: () => Promise<boolean>,
): Promise<OtherTip> {
  const [ours, theirs] = [tips.ours as CommitId, tips.theirs as CommitId];
  for (;;) {
    const ahead = await reader.isAncestor(ours, theirs);
    if (ahead === "yes") return "ahead";
    const behind = await reader.isAncestor(theirs, ours);
    if (behind === "yes") return "behind";
    if (ahead === "no" && behind === "no") return "diverged";
    if (!(await deepen())) return "unknown";
  }
}

/** `source-diverged` where it went elsewhere, `source-unproved` where nobody can tell. */
export function otherTipRefused(
  verdict: "diverged" | "unknown",
  remote: string,
  last: { readonly tip: string; readonly remote: string },
): OperationError {
  const said = verdict === "diverged" ? "does not go on" : "is not known to go on";
  return new OperationError(
    verdict === "diverged" ? "source-diverged" : "source-unproved",
    `the branch at ${displayUrl(remote)} ${said} from ${last.tip}, which ${displayUrl(last.remote)} has`,
    { next: "what was fetched last stays; if that place is the right one, take the other one out of the source" },
  );
}
