import type { RegistryGrant, RegistryRole } from "../../codec/registry-roles.ts";

/** A role as it is called in etcd, with what it may do there. Its user has the same name. */
export interface NamedRole {
  readonly name: string;
  readonly role: RegistryRole;
  readonly grants: readonly RegistryGrant[];
}

const WHO: Readonly<Record<RegistryRole, string>> = {
  engine: "every fleet-engine",
  driver: "whoever runs fleet apply: CI, or a person",
  operator: "people: holds, locks, orders to rollouts, machine remove",
  reader: "fleet plan and everything that only looks, in CI on a pull request or a screen on the wall",
  restorer: "fleet registry adopt and import: for the day they are needed",
  agent: "the agent of one machine, where it dials etcd itself",
};

/**
 * A shell script that makes these roles and a user for each: idempotent, and adds only. Users have no passwords: etcd takes the common name of
 * a certificate for its user.
 */
export function etcdctlScript(cluster: string, roles: readonly NamedRole[]): string {
  return [
    "#!/bin/sh",
    `# Roles and users of cluster ${cluster} in etcd, made by: fleet registry roles`,
    "# Run it where etcdctl reaches etcd (ETCDCTL_ENDPOINTS, ETCDCTL_CACERT, ETCDCTL_CERT, ETCDCTL_KEY), as root once auth is on. Again is",
    "# harmless. It adds only: to take away what a role had before, etcdctl role delete it, and run this again.",
    "# No user has a password: etcd (--client-cert-auth) takes the common name of a client's certificate for its user.",
    "set -eu",
    'role() { etcdctl role get "$1" >/dev/null 2>&1 || etcdctl role add "$1"; }',
    'user() { etcdctl user get "$1" >/dev/null 2>&1 || etcdctl user add "$1" --no-password; }',
    'grant() { etcdctl role grant-permission "$@"; }',
    ...roles.flatMap(roleLines),
    "",
    "# Two engines may share a certificate's name. One more name for the same role:",
    `#   user NAME; etcdctl user grant-role NAME ${quoted(roles[0]?.name ?? "ROLE")}`,
    ...(roles.some(({ role }) => role === "agent")
      ? []
      : ["# Agents that go through engines need no user here. For one that dials etcd itself: --machine ID"]),
    "",
    "# At last, once: a certificate of common name root for yourself, and those above in place. Without them daemons are cut off from here on.",
    "#   role root; user root; etcdctl user grant-role root root; etcdctl auth enable",
  ].join("\n");
}

function roleLines({ name, role, grants }: NamedRole): string[] {
  const word = quoted(name);
  return [
    "",
    `# ${WHO[role]}`,
    `role ${word}`,
    ...merged(grants).map(({ access, span, why }) => {
      const prefix = span.reach === "prefix" ? " --prefix=true" : "";
      return `grant ${word} ${access} ${quoted(span.key)}${prefix} # ${why}`;
    }),
    `user ${word}`,
    `etcdctl user grant-role ${word} ${word}`,
  ];
}

/** etcd knows one permission for each range: the second would replace the first. */
function merged(grants: readonly RegistryGrant[]) {
  const spans = new Map<string, { span: RegistryGrant; access: "read" | "write" | "readwrite"; why: string }>();
  for (const grant of grants) {
    const id = `${grant.reach} ${grant.key}`;
    const before = spans.get(id);
    const access = before === undefined || before.access === grant.access ? grant.access : "readwrite";
    spans.set(id, { span: grant, access, why: grant.why });
  }
  return [...spans.values()];
}

/** One line for each thing that somebody may do, for people. */
export function rolesTable(roles: readonly NamedRole[]): string {
  return roles
    .flatMap(({ name, role, grants }, index) => {
      const rows = merged(grants).map(({ access, span, why }) => ({
        access,
        key: `${span.key}${span.reach === "prefix" ? "*" : ""}`,
        why,
      }));
      const width = Math.max(...rows.map(({ key }) => key.length));
      return [
        ...(index === 0 ? [] : [""]),
        `${name}: ${WHO[role]}`,
        ...rows.map(({ access, key, why }) => `  ${access.padEnd(9)}  ${key.padEnd(width)}  ${why}`),
      ];
    })
    .join("\n");
}

/** A word of a shell, whatever is in it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
