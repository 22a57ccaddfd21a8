import type { ServerResponse } from "node:http";
import { Wakeup } from "../daemon/wakeup.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import { ApiProblem } from "./api-problem.ts";
import type { ClusterPicture, PictureBook, ShownUnit } from "./cluster-picture.ts";
import type { FollowedCluster } from "./followed-cluster.ts";
import { jsonText } from "./json-text.ts";

/** Each holds a connection for as long as it likes. */
const CLIENTS_MAX = 16;
/** A comment as a sign of life; proxies end what is silent for 30 to 60 s. */
const HEARTBEAT_MS = 15_000;
/** Changes come in storms; a person sees no difference. */
const GATHER_MS = 100;
/** What a client may be behind. Whoever is further connects anew and reads the whole. */
const BEHIND_MAX = 1_048_576;

export interface ApiEvent {
  readonly event: "open" | "release" | "unit" | "machine";
  readonly data: object;
}

/** Server-sent events: what changed between one picture and the next. Nothing is made while nobody listens. */
export class EventFeed {
  readonly #cluster: FollowedCluster;
  readonly #book: PictureBook;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #clients = new Set<ServerResponse>();
  #isRunning = false;

  constructor(cluster: FollowedCluster, book: PictureBook, clock: Clock, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#book = book;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Answers for as long as the client stays. Rejects before the first byte where it cannot. */
  async serve(response: ServerResponse, headers: Readonly<Record<string, string>>): Promise<void> {
    if (this.#clients.size >= CLIENTS_MAX) {
      throw new ApiProblem(503, `${CLIENTS_MAX} clients follow events already`, { "Retry-After": "60" });
    }
    const picture = await this.#book.current();
    if (response.destroyed) return;
    response.writeHead(200, { ...headers, "Content-Type": "text/event-stream; charset=utf-8" });
    const { revision, release } = picture.snapshot;
    this.#clients.add(response);
    response.once("close", () => this.#clients.delete(response));
    this.#send(response, eventText(revision, { event: "open", data: { revision, seq: release?.seq ?? null } }));
    if (!this.#isRunning) void this.#run(picture);
  }

  /** From what the first of them was told. */
  async #run(first: ClusterPicture): Promise<void> {
    this.#isRunning = true;
    const wakeup = new Wakeup(this.#clock);
    const deaf = this.#cluster.hear(wakeup.wake);
    try {
      let last = first;
      while (this.#clients.size > 0 && !this.#signal.aborted) {
        await wakeup.wait(this.#book.isNewest(last) ? HEARTBEAT_MS : GATHER_MS, this.#signal);
        const next = await this.#next(last);
        const text = eventsBetween(last, next).map((event) => eventText(next.snapshot.revision, event));
        last = next;
        for (const client of this.#clients) this.#send(client, text.length === 0 ? ":\n\n" : text.join(""));
        await this.#clock.sleep(GATHER_MS, this.#signal);
      }
    } finally {
      deaf();
      this.#isRunning = false;
      for (const client of this.#clients) client.end();
    }
  }

  /** Where the registry cannot be read, nothing has changed that anybody knows of. */
  async #next(last: ClusterPicture): Promise<ClusterPicture> {
    try {
      return await this.#book.current();
    } catch (error) {
      if (error instanceof OperationError) return last;
      throw error;
    }
  }

  #send(client: ServerResponse, text: string): void {
    client.write(text);
    if (client.writableLength > BEHIND_MAX) client.destroy();
  }
}

/** `id` is the registry's revision: whoever connects anew sees by the first event whether anything was missed. */
function eventText(id: number, { event, data }: ApiEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${jsonText(data)}\n\n`;
}

/** What of a picture is another than in the one before; what is gone is told as such. */
export function eventsBetween(before: ClusterPicture, after: ClusterPicture): ApiEvent[] {
  if (before === after) return [];
  const { release } = after.snapshot;
  const isMoved = release !== null && release.seq !== before.snapshot.release?.seq;
  return [
    ...(isMoved ? [{ event: "release", data: releaseData(release) } as const] : []),
    ...changes("machine", machinesOf(before), machinesOf(after), ({ id }) => ({ id })),
    ...changes("unit", unitsOf(before), unitsOf(after), ({ unit, machine }) => ({ unit, machine })),
  ];
}

function changes<Data extends object>(
  event: "machine" | "unit",
  before: ReadonlyMap<string, Data>,
  after: ReadonlyMap<string, Data>,
  nameOf: (data: Data) => object,
): ApiEvent[] {
  const gone = [...before].filter(([key]) => !after.has(key));
  const isOther = (key: string, data: Data) => JSON.stringify(before.get(key)) !== JSON.stringify(data);
  return [
    ...[...after].filter(([key, data]) => isOther(key, data)).map(([, data]) => ({ event, data })),
    ...gone.map(([, data]) => ({ event, data: { ...nameOf(data), gone: true } })),
  ];
}

function releaseData({ seq, commit, by, at }: NonNullable<ClusterPicture["snapshot"]["release"]>): object {
  return { seq, commit, by, at };
}

function machinesOf({ snapshot }: ClusterPicture): ReadonlyMap<string, { id: string; name: string; present: boolean }> {
  return new Map(snapshot.members.map(({ id, name, present }) => [id, { id, name, present }]));
}

function unitsOf({ rows }: ClusterPicture): ReadonlyMap<string, UnitData> {
  return new Map(rows.map((row) => [`${row.unit}/${row.machine}`, unitData(row)]));
}

type UnitData = Pick<
  ShownUnit,
  "unit" | "machine" | "machineName" | "goal" | "state" | "news" | "load" | "active" | "sub" | "hash" | "wantedHash"
> & { readonly problem: string | null };

function unitData(row: ShownUnit): UnitData {
  const { unit, machine, machineName, goal, state, news, load, active, sub, hash, wantedHash, problem } = row;
  const code = problem?.code ?? null;
  return { unit, machine, machineName, goal, state, news, load, active, sub, hash, wantedHash, problem: code };
}
