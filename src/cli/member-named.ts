import type { Member } from "../domain/cluster/cluster-snapshot.ts";
import { findMember } from "../domain/cluster/find-member.ts";
import { compileGlob } from "../domain/unit/glob.ts";
import { OperationError } from "../ports/operation-error.ts";

/** The machine a person means by its name, its id or the beginning of its id; rejects where that is none, or several. */
export function memberNamed(asked: string, members: readonly Member[]): Member {
  const found = findMember(asked, members);
  if (found.kind === "found") return found.member;
  if (found.kind === "ambiguous") {
    const among = found.among.map(
      ({ id, name, address }) => `${name} (${id.slice(0, 12)}, ${address || "no address"})`,
    );
    throw new OperationError(
      "machine-ambiguous",
      `${asked} is the beginning of ${among.length} machines: ${among.join(", ")}`,
      {
        next: "write more of the id, or the name",
      },
    );
  }
  throw new OperationError("machine-unknown", `there is no machine ${asked} in the cluster`, {
    next: found.meant === null ? "fleet list-machines names them" : `did you mean ${found.meant}?`,
  });
}

/** Those that words name, by themselves or by patterns of names; all of them where there are no words. */
export function membersMatching(words: readonly string[], members: readonly Member[]): Member[] {
  if (words.length === 0) return [...members];
  const fits = words.map((word) => {
    const { id } = /[*?[]/.test(word) ? { id: null } : memberNamed(word, members);
    const matches = id === null ? compileGlob(word) : null;
    return (member: Member) => (id === null ? matches?.(member.name) === true : member.id === id);
  });
  return members.filter((member) => fits.some((fit) => fit(member)));
}
