import { isHubAddress } from "../adapters/hub/hub-address.ts";
import { readFleetConf } from "./fleet-conf.ts";
import { listenAddress } from "./listen-address.ts";

/** Hosts that stand for every address of this machine. */
const EVERYWHERE: ReadonlySet<string> = new Set(["::", "0.0.0.0"]);

/**
 * The engines by which a terminal here reaches other machines: as named; else those this machine goes through; else, where one on this
 * machine serves others, that one. Null: none, and whoever is not root has no machine to speak for.
 */
export function throughEngines(
  flags: { readonly through?: string | undefined; readonly registry?: string | undefined },
  isRoot: boolean,
): string | null {
  const { through, registry } = flags;
  if (through !== undefined) return isHubAddress(through) ? through : `hub://${through}`;
  if (!isRoot) return null;
  const conf: NodeJS.ProcessEnv = {};
  readFleetConf(undefined, conf);
  const address = registry ?? conf.FLEET_REGISTRY;
  if (address !== undefined && isHubAddress(address)) return address;
  const listen = process.env.FLEET_LISTEN ?? conf.FLEET_LISTEN;
  if (listen === undefined || listen === "") return null;
  const { host, port } = listenAddress(listen);
  const here = EVERYWHERE.has(host) ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `hub://${here}:${port}`;
}
