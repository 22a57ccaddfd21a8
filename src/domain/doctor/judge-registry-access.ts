import type { AreaVerdict, Finding } from "./finding.ts";
import type { AccessFacts } from "./registry-check-facts.ts";

/** Who may write into the registry says where units run, and with that almost what runs. */
export function judgeAccess({ isLocal, isSecure, hasUsers, socketMode }: AccessFacts): AreaVerdict {
  const where = isLocal ? "on this machine alone" : "over the network";
  const how = socketMode !== null ? `a socket of mode ${mode(socketMode)}` : isSecure ? "TLS" : "no TLS";
  const users = hasUsers === null ? [] : [hasUsers ? "users and roles" : "no users"];
  const findings: Finding[] = [];
  if (!isLocal && !isSecure) {
    findings.push({
      code: "etcd-open",
      severity: "warning",
      saw: "it is reached over the network without TLS: whoever is on the way reads and changes it",
      expected: "etcds:// with certificates for both sides",
      next: "make certificates and start etcd with --client-cert-auth: docs/etcd.md",
    });
  }
  if (!isLocal && hasUsers === false) {
    findings.push({
      code: "etcd-open",
      severity: "warning",
      saw: "it has no users: whoever reaches it may write everything",
      expected: "a user for each program, with a role of its own",
      next: "fleet registry roles, and etcdctl auth enable: docs/etcd.md",
    });
  }
  if (socketMode !== null && (socketMode & OTHERS_WRITE) !== 0) {
    findings.push({
      code: "registry-socket-open",
      severity: "warning",
      saw: `everybody on this machine may write to its socket (${mode(socketMode)})`,
      expected: "0600, or 0660 for a group",
      next: "fleet registry serve --socket-mode 0600",
    });
  }
  return { saw: [`reached ${where}`, how, ...users].join(", "), findings };
}

const OTHERS_WRITE = 0o002;

function mode(bits: number): string {
  return bits.toString(8).padStart(4, "0");
}
