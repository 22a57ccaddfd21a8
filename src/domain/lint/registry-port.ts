import type { DraftUnit } from "../spec/draft-unit.ts";
import type { EffectiveAssignment } from "../unit/effective-unit.ts";
import type { LintFinding } from "./lint-rules.ts";

/** Where etcd listens when nobody says otherwise. */
const ETCD_PORT = 2379;

/** `-p`, `--publish` of docker and podman: address and container's port around the one of the host. */
const PUBLISHED = /(?:^|\s)(?:-p|--publish)[= ]?(?:[^\s:]*:)?(\d{1,5}):/g;
const CLIENT_URLS = /(?:--listen-client-urls[= ]|ETCD_LISTEN_CLIENT_URLS=)["']?(\S+)/g;

/**
 * A unit of the repository that serves a port of the registry (protocol rule: etcd in the fleet it serves). A plan could stop what keeps
 * the plan, and the engine would wait for itself.
 */
export function registryPort({ name, effective }: DraftUnit, ports: readonly number[]): readonly LintFinding[] {
  if (ports.length === 0) return [];
  for (const section of effective.sections) {
    for (const assignment of effective.assignments(section)) {
      const port = portsServed(assignment).find((one) => ports.includes(one));
      if (port === undefined) continue;
      const saw = `${name} serves port ${port}, which is the registry's`;
      const next = "run the registry outside of the cluster it serves, or this unit on another port";
      return [{ rule: "registry-port", at: assignment.at, saw, next }];
    }
  }
  return [];
}

function portsServed({ key, value }: EffectiveAssignment): readonly number[] {
  if (/^Listen(Stream|Datagram)$/.test(key)) return lastPort(value);
  if (key === "PublishPort") {
    const parts = value.replace(/\/[a-z]+$/, "").split(":");
    return parts.length < 2 ? [] : lastPort(parts.slice(0, -1).join(":"));
  }
  if (!/^(Exec|PodmanArgs|Environment)/.test(key)) return [];
  const urls = [...value.matchAll(CLIENT_URLS)].flatMap(([, list]) => list!.split(",").flatMap(lastPort));
  const published = [...value.matchAll(PUBLISHED)].map(([, port]) => Number(port));
  const isEtcd = key === "ExecStart" && /^[-@:+!]*\S*\/etcd(\s|$)/.test(value) && urls.length === 0;
  return [...urls, ...published, ...(isEtcd ? [ETCD_PORT] : [])];
}

function lastPort(address: string): readonly number[] {
  const port = /(?:^|:)(\d{1,5})["'/]*$/.exec(address)?.[1];
  return port === undefined ? [] : [Number(port)];
}
