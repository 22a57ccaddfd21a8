import { readFileSync } from "node:fs";
import { OperationError } from "../ports/operation-error.ts";

/** Where old fleet kept it. */
const FLEET_CONF = "/etc/fleet/fleet.conf";

/** Options of fleet.conf whose name is not the flag's; old fleet's spelling stays accepted. */
const ALIASES: Readonly<Record<string, string>> = { etcd_servers: "registry" };

/**
 * Reads fleet's own `key="value"` file into the environment, where nothing is set yet: a flag beats the environment, the
 * environment beats the file. No file is no configuration.
 */
export function readFleetConf(path = FLEET_CONF, environment: NodeJS.ProcessEnv = process.env): void {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    // Most machines are configured by the environment alone; one that cannot read its own file must not run without it.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new OperationError("conf-unreadable", `cannot read ${path}`, { cause: error });
  }
  for (const line of text.split("\n")) {
    const match = /^\s*([a-z_]+)\s*=\s*(?:"([^"]*)"|([^#]*?))\s*(?:#.*)?$/.exec(line);
    if (match === null) continue;
    const key = `FLEET_${(ALIASES[match[1]!] ?? match[1]!).toUpperCase()}`;
    const value = match[2] ?? match[3] ?? "";
    environment[key] ??= match[1] === "etcd_servers" ? registryOf(value) : value;
  }
}

/** Old fleet listed URLs, `["http://h1:2379", "http://h2:2379"]`; what is no such list is taken as it stands. */
function registryOf(servers: string): string {
  const urls = [...servers.matchAll(/(https?):\/\/([^\s"',\]/]+)/g)];
  if (urls.length === 0) return servers;
  const scheme = urls.some((url) => url[1] === "https") ? "etcds" : "etcd";
  return `${scheme}://${urls.map((url) => url[2]).join(",")}`;
}
