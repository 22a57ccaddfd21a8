import { isHubAddress } from "../adapters/hub/hub-address.ts";
import { isConfValue } from "../codec/fleet-conf.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { EffectiveOption } from "./effective-conf.ts";

/** What a new machine with fleet installed is to be at its first boot. */
export interface Provision {
  /** Where fleet.conf goes, and what stands in it. */
  readonly path: string;
  readonly conf: string;
  /** What is started then and at each boot; none where joining does it. */
  readonly services: readonly string[];
  /** The words that make it a machine of a cluster, or null. */
  readonly join: readonly string[] | null;
}

export interface JoinWish {
  readonly target: string;
  readonly token?: string | undefined;
  readonly engineKeys: readonly string[];
}

const PATH = "/etc/fleet/fleet.conf";

/** From options that somebody set: what is a default stays out, and is what the machine's own fleet has by then. */
export function provisionOf(options: readonly EffectiveOption[], join: JoinWish | null): Provision {
  const set = options.filter(({ from, value }) => from !== "default" && value !== null);
  const bad = set.find(({ value }) => !isConfValue(value!));
  if (bad !== undefined) {
    throw new OperationError("conf-value", `${bad.key} cannot be written into ${PATH}: it has a quote or a line's end`);
  }
  const lines = set.map(({ key, value }) => `${key}="${value}"\n`);
  const values = new Map(set.map(({ key, value }) => [key, value!]));
  return {
    path: PATH,
    conf: lines.join(""),
    services: join === null ? servicesOf(values) : [],
    join: join === null ? null : joinWords(join),
  };
}

/** As `fleet join` starts them: an agent each; an engine where machines reach the registry itself, which is its own where none is named. */
function servicesOf(values: ReadonlyMap<string, string>): string[] {
  const agent = ["fleet-agent.service", "fleet-restore.service"];
  const registry = values.get("registry");
  const isAlone = !/^(false|no|n|0|off|)$/i.test(values.get("standalone") ?? "");
  if (isAlone || (registry !== undefined && isHubAddress(registry))) return agent;
  return [...(registry === undefined ? ["fleet-registry.service"] : []), "fleet-engine.service", ...agent];
}

function joinWords({ target, token, engineKeys }: JoinWish): string[] {
  if (token === undefined && !target.includes("://")) {
    throw new OperationError("join-asks", "nobody can be asked at a first boot whether this machine may come in", {
      next: "--token (fleet token create), or list its key in git and join by hand",
    });
  }
  return [
    ...["fleet", "join", target],
    ...(token === undefined ? [] : ["--token", token]),
    ...engineKeys.flatMap((key) => ["--engine-key", key]),
  ];
}

/** A #cloud-config for cloud-init. */
export function cloudConfig({ path, conf, services, join }: Provision): string {
  const commands = [
    ...(services.length === 0 ? [] : [["systemctl", "enable", "--now", ...services]]),
    ...(join === null ? [] : [join]),
  ];
  return [
    "#cloud-config",
    "# For an image in which fleet is installed.",
    ...(conf === ""
      ? []
      : [
          "write_files:",
          `  - path: ${path}`,
          '    permissions: "0644"',
          "    content: |",
          ...conf
            .trimEnd()
            .split("\n")
            .map((line) => `      ${line}`),
        ]),
    "runcmd:",
    ...commands.map((words) => `  - ${JSON.stringify(words)}`),
    "",
  ].join("\n");
}

/** Ends well where the machine is one of a cluster already: `fleet join` may be run again. */
const JOIN_UNIT = "fleet-first-join.service";

/** An Ignition configuration of version 3.4.0, for Flatcar and Fedora CoreOS. */
export function ignition({ path, conf, services, join }: Provision): object {
  const file = {
    path,
    mode: 0o644,
    overwrite: true,
    contents: { source: `data:;base64,${Buffer.from(conf).toString("base64")}` },
  };
  const units = services.map((name): object => ({ name, enabled: true }));
  if (join !== null) units.push({ name: JOIN_UNIT, enabled: true, contents: joinUnit(join) });
  return {
    ignition: { version: "3.4.0" },
    ...(conf === "" ? {} : { storage: { files: [file] } }),
    systemd: { units },
  };
}

function joinUnit(words: readonly string[]): string {
  const line = words.map(
    (word) => `"${word.replaceAll(/["\\]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$")}"`,
  );
  return `[Unit]
Description=Make this machine one of its fleet cluster
Wants=network-online.target
After=network-online.target
ConditionPathExists=!/var/lib/fleet/join.json

[Service]
Type=oneshot
ExecStart=/usr/bin/env ${line.join(" ")}
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
`;
}
