import type { KnownSigner } from "./identify-signer.ts";
import { matchesPrincipals } from "./principal-pattern.ts";
import type { TrustRule } from "./trust-policy.ts";

/** Those the rule asks for; all, where it names nobody. */
export function eligible(signers: readonly KnownSigner[], rule: Pick<TrustRule, "signers">): readonly KnownSigner[] {
  if (rule.signers.length === 0) return signers;
  return signers.filter(({ principals }) => rule.signers.some((name) => matchesPrincipals(principals, name)));
}

/**
 * How many different people these signers are. Two keys are one person's where they share a principal that is not one the rule names as a
 * group; keys that have only such a principal are one too, because nothing tells them apart. Too few is the safe mistake.
 */
export function countDifferent(signers: readonly KnownSigner[], groups: readonly string[]): number {
  const people: Set<string>[] = [];
  for (const { principals } of signers) {
    const own = principals.filter((principal) => !groups.includes(principal));
    const names = own.length > 0 ? own : principals;
    const same = people.filter((person) => names.some((name) => person.has(name)));
    for (const person of same) people.splice(people.indexOf(person), 1);
    people.push(new Set([...names, ...same.flatMap((person) => [...person])]));
  }
  return people.length;
}
