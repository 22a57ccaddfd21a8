import { isEmbedded } from "./etcd-version.ts";
import { type AreaReport, type AreaVerdict, REGISTRY_AREAS, type RegistryArea } from "./finding.ts";
import { ifSeen, worst } from "./judge-machine.ts";
import { judgeRegistry } from "./judge-registry.ts";
import { judgeAccess } from "./judge-registry-access.ts";
import { judgeCertificates } from "./judge-registry-certificates.ts";
import { judgeMembers } from "./judge-registry-members.ts";
import { judgeStore } from "./judge-registry-store.ts";
import type { RegistryCheckFacts } from "./registry-check-facts.ts";

const COMMAND = "fleet registry check";

/** What is wrong with a registry, area by area: of fleet's own what applies to it. One that does not answer has nothing more to be judged. */
export function judgeRegistryCheck(facts: RegistryCheckFacts): AreaReport[] {
  const { registry } = facts;
  const answer = registry.kind === "seen" ? registry.value.answer : null;
  const verdicts: Readonly<Record<RegistryArea, () => AreaVerdict>> = {
    registry: () => ifSeen(registry, "the registry", judgeRegistry, COMMAND),
    members: () =>
      ifSeen(facts.endpoints, "its endpoints", (endpoints) => judgeMembers(endpoints, answer?.members ?? 0), COMMAND),
    store: () => ifSeen(facts.store, "its store", judgeStore, COMMAND),
    access: () => ifSeen(facts.access, "who may use it", judgeAccess, COMMAND),
    certificates: () => ifSeen(facts.certificates, "its certificates", judgeCertificates, COMMAND),
  };
  return REGISTRY_AREAS.filter((area) => applies(area, facts)).map((area) => {
    const { saw, findings } = verdicts[area]();
    return { area, severity: worst(findings), saw, findings };
  });
}

/**
 * Whoever comes through engines sees of a registry that it answers, and no more. A certificate that has ended is why one does not answer.
 * fleet's own has one member and compacts itself.
 */
function applies(area: RegistryArea, { registry, certificates }: RegistryCheckFacts): boolean {
  if (area === "registry") return true;
  if (registry.kind !== "seen" || registry.value.hub !== undefined) return false;
  if (area === "certificates") return certificates.kind !== "seen" || certificates.value.length > 0;
  const { answer } = registry.value;
  return answer !== null && (area === "access" || !isEmbedded(answer.version));
}
