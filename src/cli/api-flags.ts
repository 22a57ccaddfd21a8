import { Flags } from "@oclif/core";

/** Where the packaged engine may make one: its own RuntimeDirectory, which the group fleet may enter. */
export const DEFAULT_API_SOCKET = "/run/fleet-engine/api.sock";
/** `--api-socket` of an engine that serves no API. */
export const NO_API_SOCKET = "none";

/** Of the engine's HTTP API (docs/api.md), and of what the agent says in its place (docs/metrics.md). */
export const apiFlags = {
  "api-socket": Flags.string({
    description: "The socket on which the engine answers its HTTP API to root and the group fleet, or none",
    env: "FLEET_API_SOCKET",
    default: DEFAULT_API_SOCKET,
  }),
  "api-listen": Flags.string({
    description:
      "host:port on which the engine answers its HTTP API as well; needs --api-token-file or --api-client-ca",
    env: "FLEET_API_LISTEN",
  }),
  "api-token-file": Flags.string({
    description: "With --api-listen: a file with a token a line; whoever asks sends one (Authorization: Bearer …)",
    env: "FLEET_API_TOKEN_FILE",
  }),
  "api-names": Flags.string({
    description: "With --api-listen: host names, beside this machine's, by which the API may be asked for: a,b",
    env: "FLEET_API_NAMES",
  }),
  "api-tls-cert": Flags.string({
    description: "With --api-listen: the server's certificate (PEM); the API is then https",
    env: "FLEET_API_TLS_CERT",
  }),
  "api-tls-key": Flags.string({ description: "The key of --api-tls-cert (PEM)", env: "FLEET_API_TLS_KEY" }),
  "api-client-ca": Flags.string({
    description: "With --api-tls-cert: who may ask has a certificate by this authority (PEM)",
    env: "FLEET_API_CLIENT_CA",
  }),
  "agent-metrics-file": Flags.string({
    description: "Where the agent writes its metrics for node_exporter's textfile collector (default: nowhere)",
    env: "FLEET_AGENT_METRICS_FILE",
  }),
};

export interface ApiFlags {
  readonly "api-socket": string;
  readonly "api-listen"?: string | undefined;
  readonly "api-token-file"?: string | undefined;
  readonly "api-names"?: string | undefined;
  readonly "api-tls-cert"?: string | undefined;
  readonly "api-tls-key"?: string | undefined;
  readonly "api-client-ca"?: string | undefined;
}
