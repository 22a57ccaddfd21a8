import { isHubAddress } from "../adapters/hub/hub-address.ts";
import { CONF_ALIASES, parseConfLine } from "../codec/fleet-conf.ts";
import { OLD_FLEET_OPTIONS } from "../codec/old-fleet-options.ts";
import { parseDuration } from "../domain/spec/duration.ts";
import { closestName } from "../domain/unit/closest-name.ts";
import { OperationError } from "../ports/operation-error.ts";
import { NO_REGISTRY } from "./composition.ts";
import { registryOf } from "./fleet-conf.ts";
import { listenAddress } from "./listen-address.ts";
import { parseMetadata } from "./metadata-flag.ts";

/** What is wrong with a line of a fleet.conf, or with a value from elsewhere. */
export interface ConfProblem {
  /** From 1; null: it is of no line. */
  readonly line: number | null;
  readonly severity: "error" | "warning";
  readonly saw: string;
  readonly next: string;
}

export interface CheckedConf {
  /** By option, each as its first line has it. */
  readonly values: ReadonlyMap<string, { readonly value: string; readonly line: number }>;
  readonly problems: readonly ConfProblem[];
}

/** Reads a fleet.conf of a person's: every line is an assignment of an option there is, once, with a value it can have. */
export function checkConf(text: string, known: readonly string[]): CheckedConf {
  const values = new Map<string, { value: string; line: number }>();
  const problems: ConfProblem[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const at = index + 1;
    const problem = (severity: ConfProblem["severity"], saw: string, next: string) =>
      problems.push({ line: at, severity, saw, next });
    if (/^\s*(#.*)?$/.test(line)) continue;
    const read = parseConfLine(line);
    if (read === null) {
      problem("error", `no assignment: ${line.trim()}`, 'write key="value", or # in front of it');
      continue;
    }
    const key = CONF_ALIASES[read.key] ?? read.key;
    const old = OLD_FLEET_OPTIONS[key];
    if (old !== undefined) problem("warning", `${key}, an option of old fleet's, has no meaning here`, old);
    else if (!known.includes(key)) {
      const meant = closestName(key, known);
      problem(
        "error",
        `the unknown option ${key}`,
        meant === null ? "fleet config check lists what there is" : `did you mean ${meant}?`,
      );
    } else if (values.has(key)) {
      problem("warning", `${key} again, which line ${values.get(key)!.line} has: the first counts`, "remove one");
    } else {
      const value = read.key === "etcd_servers" ? registryOf(read.value) : read.value;
      values.set(key, { value, line: at });
      const wrong = valueProblem(key, value);
      if (wrong !== null) problems.push({ line: at, severity: "error", ...wrong });
    }
  }
  return { values, problems };
}

const DURATIONS: ReadonlySet<string> = new Set(["agent_ttl", "grace", "poll"]);
const TRUST_MODES = ["head", "range", "strict"];
/** oclif's: any other text of a variable is no. */
const TRUTHS = ["true", "yes", "y", "1", "on", "false", "no", "n", "0", "off", ""];

/** Null where the option can have that value, or only its daemon can say. */
export function valueProblem(key: string, value: string): Pick<ConfProblem, "saw" | "next"> | null {
  if (DURATIONS.has(key) && parseDuration(value) === null)
    return { saw: `${key} ${value}, which is no duration`, next: "write one such as 30s or 2m" };
  if (key === "trust_mode" && !TRUST_MODES.includes(value))
    return { saw: `trust_mode ${value}`, next: `one of ${TRUST_MODES.join(", ")}` };
  if (key === "standalone" && !TRUTHS.includes(value.toLowerCase()))
    return { saw: `standalone ${value}`, next: "yes or no" };
  if (
    key === "registry" &&
    !/^(etcds?:\/\/|unix:\/|file:.)/.test(value) &&
    !isHubAddress(value) &&
    value !== NO_REGISTRY
  )
    return {
      saw: `registry ${value}, which names no kind of registry`,
      next: "etcd://…, etcds://…, hub://… or unix:/…",
    };
  if (key === "metadata") return refusalOf(() => parseMetadata(value));
  if (key === "listen" && value !== "") return refusalOf(() => listenAddress(value));
  return null;
}

function refusalOf(read: () => unknown): Pick<ConfProblem, "saw" | "next"> | null {
  try {
    read();
    return null;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { saw: error.message.replace(/^--/, ""), next: error.next ?? "see fleet(1)" };
  }
}
