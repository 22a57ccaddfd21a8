import type { HubFailure } from "../hub/hub-state.ts";
import type { HubFacts } from "./doctor-facts.ts";
import type { Finding } from "./finding.ts";

/** An engine says so of a machine that git does not list, or not with this key: a line of the manifest is what is missing. */
const NOT_LISTED: ReadonlySet<string> = new Set(["refused-unlisted-key", "refused-wrong-key"]);

/**
 * What is wrong with the engines this machine goes through: each one that cannot be used is a finding, and an error where none can; then
 * nothing else of the registry can be known.
 */
export function judgeHub({ state, self }: HubFacts, answers: boolean): Finding[] {
  return state.failures.map((failure) => ({
    code: answers ? "hub-engine-away" : "hub-away",
    severity: answers ? "warning" : "error",
    saw: `${failure.detail} (${failure.code})`,
    expected: answers
      ? "every engine of the address: when the others go, this machine hears nothing new"
      : "an engine that answers: nothing new is placed here without one; what runs here goes on",
    next: nextStep(failure, self),
  }));
}

function nextStep({ code, next, engine }: HubFailure, { name, machine, key }: HubFacts["self"]): string {
  if (NOT_LISTED.has(code)) return `under machines: in the manifest, commit ${name}: { id: ${machine}, key: "${key}" }`;
  return next ?? `look at fleet-engine there, ${engine}`;
}
