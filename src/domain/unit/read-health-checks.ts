import { serviceKind } from "../cluster/health-table.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { HealthCheck, LoopbackHost } from "../health/health-check.ts";
import type { UnitName } from "../names.ts";
import type { EffectiveUnit, EffectiveValue } from "./effective-unit.ts";
import { splitCommand } from "./split-command.ts";
import { unitNameParts } from "./unit-name.ts";

/** More than a service has sides to it; each is a probe every few seconds. */
const CHECKS_MAX = 8;
const COMMAND_MAX = 2_000;
const FORM = "http://127.0.0.1:PORT/PATH, tcp://127.0.0.1:PORT or exec:/PROGRAM ARGUMENTS";
const HOSTS = "127.0.0.1, [::1] or localhost: a check asks the machine its unit runs on";

/** Replaces the specifiers of a text; null where one cannot be replaced, which is said elsewhere. */
type Expand = (text: string) => string | null;

/**
 * What `HealthCheck=` asks, in the order written, each once; all must pass. `values`: those in force, with specifiers, which are replaced
 * word by word: an instance's name brings no new words into a command.
 *
 * Only the machine's own loopback is asked over the network. Agents are root on each machine, and whoever writes a unit must not make them
 * knock at other hosts' ports, nor at those that answer machines and nobody else (a cloud's metadata). And it is known where the
 * unit is written, before any machine is: what listens on another address only is asked by a program.
 */
export function readHealthChecks(
  name: UnitName,
  unit: EffectiveUnit,
  values: readonly EffectiveValue[],
  expandAt: (text: string, value: EffectiveValue) => string | null,
): { readonly checks: readonly HealthCheck[]; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const checks = new Map<string, HealthCheck>();
  for (const value of values) {
    const read = readHealthCheck(value.value, (text) => expandAt(text, value));
    if (read !== null && "kind" in read) checks.set(JSON.stringify(read), read);
    else if (read !== null) {
      const saw = `HealthCheck=${value.value}`;
      diagnostics.push({ code: "x-fleet-value", severity: "error", at: value.at, saw, expected: read.expected });
    }
  }
  const last = values.at(-1);
  const because = last === undefined ? null : whyNone(name, unit);
  if (last !== undefined && because !== null) {
    const saw = `HealthCheck= in ${name}, ${because}`;
    diagnostics.push({ code: "x-fleet-contradiction", severity: "error", at: last.at, saw, next: "remove it" });
  }
  if (last !== undefined && checks.size > CHECKS_MAX) {
    const expected = `${CHECKS_MAX} at most`;
    diagnostics.push({
      code: "x-fleet-value",
      severity: "error",
      at: last.at,
      saw: `${checks.size} HealthCheck=`,
      expected,
    });
  }
  return { checks: [...checks.values()], diagnostics };
}

/** Null: it cannot be known, which is said elsewhere. */
function readHealthCheck(text: string, expand: Expand): HealthCheck | { readonly expected: string } | null {
  if (text.startsWith("exec:")) return readCommand(text.slice("exec:".length), expand);
  const address = expand(text);
  if (address === null) return null;
  const parts = /^(http|tcp):\/\/(\[[^\]]*\]|[^:/?#[\]]*)(?::(\d{1,5}))?(\/[!-~]*)?$/.exec(address);
  if (parts === null) return { expected: FORM };
  const [, kind, hostname, portText, path = "/"] = parts;
  const port = Number(portText ?? (kind === "http" ? "80" : "0"));
  if (port < 1 || port > 65_535) return { expected: "a port from 1 to 65535" };
  if (path.includes("#") || (kind === "tcp" && parts[4] !== undefined)) return { expected: FORM };
  const host = loopback(hostname!);
  if (host === null) return { expected: HOSTS };
  return kind === "http" ? { kind, host, port, path } : { kind: "tcp", host, port };
}

function loopback(hostname: string): LoopbackHost | null {
  // By its meaning, and not by what a machine's /etc/hosts makes of it.
  if (hostname === "localhost") return "127.0.0.1" as LoopbackHost;
  if (hostname === "[::1]") return "::1" as LoopbackHost;
  const isIpv4 = /^127(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(hostname);
  return isIpv4 && hostname.split(".").every((byte) => Number(byte) <= 255) ? (hostname as LoopbackHost) : null;
}

function readCommand(line: string, expand: Expand): HealthCheck | { readonly expected: string } | null {
  const split = line.length > COMMAND_MAX ? null : splitCommand(line);
  if (split === null) return { expected: `a command as in ExecStart=, of ${COMMAND_MAX} characters at most` };
  const words = split.map(expand);
  if (words.includes(null)) return null;
  const [program = "", ...rest] = words as string[];
  const isPlain = /^\/[^/]/.test(program) && !program.split("/").includes("..") && !program.endsWith("/");
  if (!isPlain)
    return { expected: "the program's absolute path after exec:, without a shell and without ExecStart='s prefixes" };
  return { kind: "exec", argv: [program, ...rest] };
}

/** Why there is nothing to be asked, or null. */
function whyNone(name: UnitName, unit: EffectiveUnit): string | null {
  const { type } = unitNameParts(name);
  if (!WITH_PROCESS.has(type)) return "which has no process to be asked";
  const kind = serviceKind(unit);
  return kind === "oneshot" || kind === "setup" ? "a oneshot, whose end says how it went" : null;
}

const WITH_PROCESS: ReadonlySet<string> = new Set(["service", "container", "kube", "pod"]);
