/**
 * One question that tells whether a service does its work, asked on its own machine. `http`: a GET is answered by 2xx or 3xx. `tcp`:
 * somebody accepts the connection. `exec`: a program, run as the service's own user, exits with 0.
 */
export type HealthCheck =
  | { readonly kind: "http"; readonly host: LoopbackHost; readonly port: number; readonly path: string }
  | { readonly kind: "tcp"; readonly host: LoopbackHost; readonly port: number }
  /** The program by its absolute path, then its arguments. */
  | { readonly kind: "exec"; readonly argv: readonly [string, ...string[]] };

/** An IPv4 address in 127.0.0.0/8, or `::1`. */
export type LoopbackHost = string & { readonly __brand: "LoopbackHost" };

/** As somebody would write it, for people. */
export function healthCheckText(check: HealthCheck): string {
  switch (check.kind) {
    case "http":
      return `http://${hostText(check.host)}:${check.port}${check.path}`;
    case "tcp":
      return `tcp://${hostText(check.host)}:${check.port}`;
    case "exec":
      return `exec:${check.argv.join(" ")}`;
  }
}

function hostText(host: LoopbackHost): string {
  return host.includes(":") ? `[${host}]` : host;
}
