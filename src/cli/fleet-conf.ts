import { readFileSync } from "node:fs";
import { CONF_ALIASES, parseConfLine } from "../codec/fleet-conf.ts";
import { OperationError } from "../ports/operation-error.ts";

/** Where old fleet kept it. */
export const FLEET_CONF = "/etc/fleet/fleet.conf";

const fromFile = new Set<string>();

/** Whether a variable of this process is there because the file says so, and nobody set it. */
export function isFromFile(variable: string): boolean {
  return fromFile.has(variable);
}

/**
 * Reads fleet's own `key="value"` file into the environment, where nothing is set yet: a flag beats the environment, the
 * environment beats the file. No file is no configuration.
 */
export function readFleetConf(path = fleetConf(), environment: NodeJS.ProcessEnv = process.env): void {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    // Most machines are configured by the environment alone; one that cannot read its own file must not run without it.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new OperationError("conf-unreadable", `cannot read ${path}`, { cause: error });
  }
  for (const line of text.split("\n")) {
    const read = parseConfLine(line);
    if (read === null) continue;
    const key = `FLEET_${(CONF_ALIASES[read.key] ?? read.key).toUpperCase()}`;
    if (environment[key] === undefined && environment === process.env) fromFile.add(key);
    environment[key] ??= read.key === "etcd_servers" ? registryOf(read.value) : read.value;
  }
}

/** The file daemons read and `fleet join` writes. */
export function fleetConf(): string {
  return process.env.FLEET_CONF ?? FLEET_CONF;
}

/** Old fleet listed URLs, `["http://h1:2379", "http://h2:2379"]`; what is no such list is taken as it stands. */
export function registryOf(servers: string): string {
  const urls = [...servers.matchAll(/(https?):\/\/([^\s"',\]/]+)/g)];
  if (urls.length === 0) return servers;
  const scheme = urls.some((url) => url[1] === "https") ? "etcds" : "etcd";
  return `${scheme}://${urls.map((url) => url[2]).join(",")}`;
}
