import { readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { Flags } from "@oclif/core";
import { machineCapacity } from "../adapters/machine/machine-capacity.ts";
import type { AgentIdentity } from "../daemon/member-announcer.ts";
import type { LossPolicy } from "../domain/spec/cluster-spec.ts";
import { parseDuration } from "../domain/spec/duration.ts";
import { OperationError } from "../ports/operation-error.ts";
import { apiFlags } from "./api-flags.ts";
import { clusterFlags, repositoryFlags } from "./base-command.ts";
import { readFleetConf } from "./fleet-conf.ts";
import { machineId } from "./machine-id.ts";
import { parseMetadata } from "./metadata-flag.ts";

readFleetConf();

/** Flags of the daemons: old fleet's option names where fleet had one; each also as FLEET_… and as a key of fleet.conf. */
export const daemonFlags = {
  manifest: repositoryFlags.manifest,
  ...clusterFlags,
  name: Flags.string({ description: "This machine's name (default: the host name)", env: "FLEET_NAME" }),
  metadata: Flags.string({ description: "key=value,key=value of this machine", env: "FLEET_METADATA", default: "" }),
  "public-ip": Flags.string({
    description: "The address published for this machine (default: the first IPv4)",
    env: "FLEET_PUBLIC_IP",
  }),
  "agent-ttl": Flags.string({
    description: "How long a silent machine is believed to be there (default: the manifest's, 30s)",
    env: "FLEET_AGENT_TTL",
  }),
  grace: Flags.string({
    description: "Silence beyond that before its units move (default: the manifest's, 60s)",
    env: "FLEET_GRACE",
  }),
  loss: Flags.string({
    description: "Other thresholds of a loss than the manifest's, for the engine: key=value,key=value as under loss:",
    env: "FLEET_LOSS",
  }),
  listen: Flags.string({
    description:
      "host:port on which the engine serves machines that have no registry of their own, 7440 as a rule (default: it serves none)",
    env: "FLEET_LISTEN",
  }),
  "forge-api": Flags.string({
    description:
      "Of a GitHub Enterprise, where commit statuses are posted: https://ghe.example/api/v3 (default: github.com's)",
    env: "FLEET_FORGE_API",
  }),
  ...apiFlags,
  "allow-journal": Flags.string({
    description:
      "Machines whose root may read the journal of fleet's units here through engines: names or ids, as git lists them (default: none)",
    env: "FLEET_ALLOW_JOURNAL",
  }),
  "source-credentials": Flags.string({
    description:
      "A file with https://user:password@host, a line for each host of the source (default: systemd's credential of that name)",
    env: "FLEET_SOURCE_CREDENTIALS",
  }),
  standalone: Flags.boolean({
    description:
      "Follow the branch alone: no registry and no engine; the agent runs what the commit itself gives this machine",
    env: "FLEET_STANDALONE",
  }),
  poll: Flags.string({
    description: "With --standalone: how often to look at the branch (default: 60s)",
    env: "FLEET_POLL",
  }),
  "trust-signers": Flags.string({
    description: "This machine's own file of signers (allowed_signers), in place of the repository's",
    env: "FLEET_TRUST_SIGNERS",
  }),
  "trust-mode": Flags.string({
    description: "With --trust-signers: head, range or strict, whatever less the manifest asks for (default: range)",
    env: "FLEET_TRUST_MODE",
  }),
  "state-directory": Flags.string({
    description: "What must survive a reboot",
    env: "FLEET_STATE_DIRECTORY",
    default: "/var/lib/fleet",
  }),
};

/** Milliseconds of a duration flag, or undefined where it is not set. */
export function durationFlag(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds !== null) return milliseconds;
  throw new OperationError("bad-duration", `--${name} ${text} is not a duration`, {
    next: "write one such as 30s or 2m",
  });
}

/** The thresholds an engine has in place of the manifest's. */
export async function lossFlags(flags: {
  readonly "agent-ttl"?: string | undefined;
  readonly grace?: string | undefined;
  readonly loss?: string | undefined;
}): Promise<Partial<LossPolicy>> {
  const agentTtlMs = durationFlag("agent-ttl", flags["agent-ttl"]);
  const graceMs = durationFlag("grace", flags.grace);
  return {
    ...(await readLoss(flags.loss)),
    ...(agentTtlMs === undefined ? {} : { agentTtlMs }),
    ...(graceMs === undefined ? {} : { graceMs }),
  };
}

async function readLoss(line: string | undefined): Promise<Partial<LossPolicy>> {
  if (line === undefined) return {};
  const { parseLossLine } = await import("../codec/manifest/loss-values.ts");
  const read = parseLossLine(line);
  if (!("problem" in read)) return read;
  throw new OperationError("bad-loss", `--loss ${line}: ${read.problem}`, {
    next: "write it like movesWindow=30s,flapAt=5; docs/loss.md has every key",
  });
}

/** What this machine is, from its flags and from what the kernel and systemd say. */
export function thisMachine(
  flags: { name?: string | undefined; metadata: string; "public-ip"?: string | undefined },
  version: string,
): AgentIdentity {
  return {
    machine: machineId(),
    name: flags.name ?? hostname(),
    address: flags["public-ip"] ?? firstAddress(),
    metadata: { ...parseMetadata(flags.metadata), arch: process.arch, os: osName() },
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    version,
    capacity: machineCapacity(),
  };
}

function firstAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const address of addresses ?? []) if (!address.internal && address.family === "IPv4") return address.address;
  }
  return "";
}

function osName(): string {
  try {
    return /^ID="?([^"\n]*)"?$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "linux";
  } catch {
    return "linux"; // A machine without os-release is still a Linux.
  }
}
