import type { NodeKey } from "../../domain/identity/node-key.ts";
import type { CallerStanding } from "../../domain/join/judge-caller.ts";
import type { EnrolmentRefusal } from "../../domain/join/judge-enrolment.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { JoinProgress } from "../../usecases/wait-joined.ts";
import { machineStanza, type StanzaMachine } from "./machine-stanza.ts";
import { printable } from "./printable.ts";

/** A machine that has joined, as the command tells of it. */
export interface JoinedMachine extends StanzaMachine {
  readonly cluster: string;
  /** Null: there is no cluster yet, the first apply makes one. */
  readonly clusterId: string | null;
  readonly source: string | null;
  readonly branch: string;
  readonly manifest: string;
  readonly engines: readonly string[];
  readonly engineKeys: readonly NodeKey[];
  /** Null: nobody judges it, because it reaches the registry itself. */
  readonly standing: CallerStanding | null;
  /** Whether the commit that is known here lists it by this id and key. */
  readonly isListed: boolean;
}

/** What has been done, the stanza where git has to have one, and what happens next. `services` are those that this machine needs. */
export function joinedText(joined: JoinedMachine, services: readonly string[], started: readonly string[]): string {
  const { name, cluster, source, branch, manifest, engines, standing } = joined;
  const through = engines.length > 0 ? `through ${engines.join(", ")}` : `from ${source ?? "its own repository"}`;
  return printable(
    [
      `${name} is a machine of ${cluster} now: it follows ${manifest} of branch ${branch}, ${through}`,
      ...(joined.isListed ? [listedText(joined)] : ["", ...stanzaLines(joined), ""]),
      ...(standing?.code === "admitted" ? [admittedText()] : []),
      started.length > 0
        ? `started, and started at each boot: ${started.join(", ")}`
        : `nothing was started here; to do it: systemctl enable --now ${services.join(" ")}`,
      ...nextLines(joined),
    ].join("\n"),
  );
}

function listedText({ name, standing }: JoinedMachine): string {
  const as = standing?.code === "listed" && standing.name !== name ? ` as ${standing.name}` : "";
  return `The commit in force lists it${as}: nothing is left to be committed.`;
}

function admittedText(): string {
  return "A token let it in. It gets units where the manifest has admit: any, or once the stanza is committed.";
}

function stanzaLines(joined: JoinedMachine): string[] {
  return [`Commit this to ${joined.manifest}:`, "", "machines:", `  ${machineStanza(joined)}`];
}

function nextLines({ isListed, clusterId, standing }: JoinedMachine): string[] {
  if (clusterId === null) return ["next: commit, push, then the first apply makes the cluster: fleet apply"];
  if (isListed) return [];
  if (standing?.code === "admitted") return [];
  return ["next: commit, push and fleet apply, anywhere; its agent comes in by itself then"];
}

/** What `--wait` waits for. */
export function progressText(what: JoinProgress | OperationError): string {
  if (what instanceof OperationError) return `cannot ask now: ${what.message}`;
  const { standing } = what;
  switch (standing.code) {
    case "unlisted":
      return "waits for a release that lists it";
    case "keyless":
      return `waits for a release that has its key: the stanza ${standing.name} has none`;
    case "listed":
    case "admitted":
      return "it may come in; waits for its agent to take a release";
    default:
      return refusalOf(standing).message;
  }
}

/** Why a machine cannot come in, and what to do about it on that machine. */
export function refusalOf(refusal: EnrolmentRefusal): OperationError {
  const [message, next] = refusalWords(refusal);
  return new OperationError(refusal.code, message, { next });
}

const NEW_ID =
  "if this machine was copied: rm /etc/machine-id; systemd-machine-id-setup; rm -r /var/lib/fleet/identity, then join again";
const NEW_TOKEN = "fleet token create, where the cluster's registry can be reached";

function refusalWords(refusal: EnrolmentRefusal): readonly [message: string, next: string] {
  switch (refusal.code) {
    case "duplicate-id": {
      const where = refusal.by === "git" ? "git lists" : "a token let in";
      return [
        `${where} another key for this machine's id, under the name ${refusal.name}`,
        `${NEW_ID}; if it is ${refusal.name}, set up anew: replace its key in the manifest${refusal.by === "git" ? "" : ", or fleet machine remove it"}`,
      ];
    }
    case "cloned-key":
      return [
        `this machine's key is that of ${refusal.name} (id ${refusal.machine}): one is a copy of the other`,
        NEW_ID,
      ];
    case "cloned-machine":
      return [
        `a machine with this id and key is present already, as ${refusal.name} (boot ${refusal.bootId}): one is a copy of the other`,
        `${NEW_ID}; if this one has just restarted, wait until its old lease has ended`,
      ];
    case "name-taken":
      return [`another machine is called ${refusal.name}`, "give this one a name of its own: --name"];
    case "token-malformed":
      return ["this is no token, or not the whole of it", NEW_TOKEN];
    case "token-other-cluster":
      return ["this token is of another cluster", NEW_TOKEN];
    case "token-expired":
      return [`this token has ended at ${new Date(refusal.atMs).toISOString()}`, NEW_TOKEN];
    case "token-used":
      return [
        `this token has let ${refusal.name} in, at ${new Date(refusal.atMs).toISOString()}; one lets in one machine`,
        NEW_TOKEN,
      ];
    case "token-unknown":
      return ["this token was taken back, or never made here", NEW_TOKEN];
    case "token-name":
      return [
        `names of machines that this token lets in begin with ${refusal.prefix}`,
        `choose such a --name, or leave it out: ${refusal.prefix} and the first digits of the id is what it gets`,
      ];
  }
}
