import type { Replaced } from "../domain/fencing/judge-replaced.ts";

/** Of a registry that is not the one that was known, in a status, a report and a log. */
export const REGISTRY_REPLACED = "registry-replaced";

/** What a person can do about it; docs/registry.md says when which. */
export const REPLACED_NEXT =
  "restore the newest backup (fleet registry import), or take the cluster over as it runs: fleet registry adopt";

/** What was seen, and what is known of it here. */
export function replacedDetail(because: Replaced): string {
  switch (because.code) {
    case "cluster-gone":
      return `the registry holds no cluster any more, where ${short(because.clusterId)} was`;
    case "other-cluster":
      return `the registry's cluster is ${short(because.saw)}, and this one is ${short(because.known)}`;
    case "epoch-behind":
      return `the registry is of epoch ${because.saw}, and epoch ${because.known} was seen`;
    case "release-gone":
      return `the registry holds no release, and release ${because.known} was seen`;
    case "release-behind":
      return `the registry is at release ${because.saw}, and release ${because.known} was seen`;
    case "other-release":
      return `release ${because.seq} is commit ${because.saw.slice(0, 7)}, and was ${because.known.slice(0, 7)}`;
    case "term-behind":
      return `the registry is at term ${because.saw}, and term ${because.known} was seen`;
    case "set-behind":
      return `the registry has this machine's set ${because.saw}, and set ${because.known} was taken`;
    case "member-ahead":
      return `${because.machine} has taken release ${because.known}, and the registry is at release ${because.saw}`;
  }
}

function short(id: string): string {
  return id.slice(0, 8);
}
