import type { ApiRouteId } from "../codec/api/api-routes.ts";
import { encodePlan } from "../codec/plan/encode-plan.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { OperationError } from "../ports/operation-error.ts";
import type { Registry, RegistryReader } from "../ports/registry.ts";
import { type HistoryEntry, releaseHistory } from "../usecases/list-history.ts";
import { readPlan } from "../usecases/read-plan.ts";
import { readReleases } from "../usecases/read-releases.ts";
import { ApiProblem } from "./api-problem.ts";
import { type ClusterPicture, type LookAtCluster, PictureBook, REST_FACTOR, type SpecOf } from "./cluster-picture.ts";
import { discoveryDocument } from "./discovery-document.ts";
import { machinePage, oneState, oneUnit, statePage, unitPage } from "./fleet-v1.ts";
import type { FollowedCluster } from "./followed-cluster.ts";
import { jsonText } from "./json-text.ts";
import { SyncPoke } from "./sync-poke.ts";

export interface ApiQuestion {
  readonly name: string;
  readonly query: URLSearchParams;
  /** For people: who asks for a look at the branch. */
  readonly caller: string;
}

/** How this engine is. */
export interface EngineHealth {
  readonly ok: boolean;
  /** The term it leads; null while it follows. */
  readonly term: number | null;
  /** To the registry. */
  readonly connected: boolean;
  /** Since its last turn. */
  readonly turnedMsAgo: number;
}

export interface ApiPorts {
  readonly cluster: FollowedCluster;
  readonly registry: Registry;
  readonly look: LookAtCluster;
  readonly specOf: SpecOf;
  /** What the branch's tip would change, as `fleet plan --json` prints it. Rejects with `branch-rejected` where it does not compile. */
  readonly planBranch: (registry: RegistryReader) => Promise<object>;
  readonly health: () => EngineHealth;
  /** In Prometheus' format, of everything this process measures and of the picture. */
  readonly metrics: (picture: () => Promise<ClusterPicture>) => Promise<string>;
  readonly clock: Clock;
  readonly newId: RandomId;
}

/** JSON, a text in the route's own type, or JSON that is written already. */
export type ApiAnswer =
  | { readonly status: number; readonly json: unknown }
  | { readonly status: number; readonly text: string };

type Handler = (question: ApiQuestion) => Promise<ApiAnswer>;

/** The branch is a forge's to tell, which bears a question every few seconds. */
const BRANCH_MS = 5_000;
const RELEASES = 10;
/** Each is a plan to be read. */
const RELEASES_MAX = 50;

/** An answer to each question but events, which are a stream. Each rejects with ApiProblem, or with the OperationError that stood in its way. */
export class ApiHandlers {
  readonly book: PictureBook;
  readonly #ports: ApiPorts;
  readonly #poke: SyncPoke;
  #shown: { readonly picture: ClusterPicture; readonly text: string; readonly untilMs: number } | null = null;
  #branch: { readonly picture: ClusterPicture; readonly text: Promise<string>; untilMs: number } | null = null;
  #history: { readonly key: string; readonly entries: readonly HistoryEntry[] } | null = null;

  constructor(ports: ApiPorts) {
    this.#ports = ports;
    this.book = new PictureBook(ports.cluster, ports.look, ports.clock);
    this.#poke = new SyncPoke({ ...ports, keys: ports.cluster.keys });
  }

  readonly byRoute: Readonly<Record<Exclude<ApiRouteId, "events">, Handler>> = {
    units: async ({ query }) =>
      json(await unitPage(await this.#fresh(), this.#ports.specOf, query.getAll("nextPageToken"))),
    unit: async ({ name }) => json(await oneUnit(await this.#fresh(), this.#ports.specOf, name)),
    states: async ({ query }) => json(statePage(await this.#fresh(), query)),
    "unit-state": async ({ name }) => json(oneState(await this.#fresh(), name)),
    machines: async ({ query }) => json(machinePage(await this.#fresh(), query.getAll("nextPageToken"))),
    discovery: async () => json(discoveryDocument()),
    status: async () => ({ status: 200, text: await this.#status() }),
    plan: async ({ query }) => ({ status: 200, text: await this.#plan(query.get("release")) }),
    "branch-plan": async () => ({ status: 200, text: await this.#branchPlan() }),
    releases: async ({ query }) => json(await this.#releases(query.get("last"))),
    sync: async ({ caller, query }) => json(await this.#poke.ask(await this.#fresh(), caller, query.get("timeout"))),
    metrics: async () => ({ status: 200, text: await this.#ports.metrics(() => this.book.current()) }),
    health: async () => {
      const health = this.#ports.health();
      return { status: health.ok ? 200 : 503, json: health };
    },
  };

  /** As the original: an answer is how it is, or there is none. */
  async #fresh(): Promise<ClusterPicture> {
    const picture = await this.book.current();
    if (this.#ports.cluster.awayMs === null) return picture;
    throw new ApiProblem(503, "fleet server unable to communicate with etcd; /v1/status has what was known last");
  }

  /** Of a large cluster it is some 20 MB of text, which is not written more often than a picture is made. */
  async #status(): Promise<string> {
    const picture = await this.book.current();
    const startedMs = this.#ports.clock.monotonicMs();
    if (this.#shown?.picture !== picture || startedMs >= this.#shown.untilMs) {
      const text = `${jsonText(picture.status())}\n`;
      const nowMs = this.#ports.clock.monotonicMs();
      this.#shown = { picture, text, untilMs: nowMs + REST_FACTOR * (nowMs - startedMs) };
    }
    return this.#shown.text;
  }

  async #plan(release: string | null): Promise<string> {
    const reads = await this.#ports.cluster.reads();
    const { keys } = this.#ports.cluster;
    const releases = await readReleases(reads, keys);
    const seq = release === null ? (releases.at(-1)?.seq ?? 0) : wholeNumber("release", release, 99_999_999);
    const found = releases.find((one) => one.seq === seq);
    if (found === undefined)
      throw new ApiProblem(404, release === null ? "there is no release yet" : `there is no release ${seq}`);
    const plan = await readPlan(reads, keys, found.planId);
    if (plan === null) {
      throw new ApiProblem(
        404,
        `the plan of release ${seq} is not in the registry any more, or none this fleet can read`,
      );
    }
    return encodePlan(plan);
  }

  /** A question to the source, and a plan: one for all who ask in the same seconds, and where it takes long not again soon. */
  async #branchPlan(): Promise<string> {
    const picture = await this.book.current();
    const startedMs = this.#ports.clock.monotonicMs();
    const isKnown = this.#branch !== null && this.#branch.picture === picture && startedMs < this.#branch.untilMs;
    if (!isKnown || this.#branch === null) {
      const text = this.#ports.cluster
        .reads()
        .then((reads) => this.#ports.planBranch(reads))
        .then((plan) => `${jsonText(plan)}\n`);
      const asked = { picture, text, untilMs: Number.POSITIVE_INFINITY };
      this.#branch = asked;
      const answered = () => {
        const nowMs = this.#ports.clock.monotonicMs();
        asked.untilMs = nowMs + Math.max(BRANCH_MS, REST_FACTOR * (nowMs - startedMs));
      };
      text.then(answered, answered);
      return text;
    }
    return this.#branch.text;
  }

  /** Read once for as long as no release and no rollout moves: each entry is a plan of some MiB in a large cluster. */
  async #releases(text: string | null): Promise<readonly HistoryEntry[]> {
    const last = text === null ? RELEASES : wholeNumber("last", text, RELEASES_MAX);
    const reads = await this.#ports.cluster.reads();
    const { keys } = this.#ports.cluster;
    const moved = await Promise.all([reads.list(keys.release), reads.list(keys.rollouts)]);
    const revisions = moved.flatMap(({ entries }) => entries.map(({ modRevision }) => modRevision));
    const key = [last, ...revisions].join(" ");
    if (this.#history?.key !== key) {
      const entries = await releaseHistory({ registry: reads, keys, book: null, last });
      this.#history = { key, entries };
    }
    return this.#history.entries;
  }
}

function json(value: unknown): ApiAnswer {
  return { status: 200, json: value };
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = /^\d{1,8}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw new ApiProblem(400, `${name} is a whole number from 1 to ${max}`);
}

/** Of what the asker can mend, and waiting does not. */
const STATUS: Readonly<Record<string, number>> = { "other-driver": 409, "branch-rejected": 409 };

/** What an OperationError is to a client. */
export function problemOf({ code, message, next }: OperationError): ApiProblem {
  const text = next === undefined ? message : `${message}; ${next}`;
  return new ApiProblem(STATUS[code] ?? 503, text);
}
