import { OperationError } from "../../ports/operation-error.ts";
import { IDS_MAX } from "../objects-proto/objects-proto.ts";
import type { HubStore } from "./hub-store.ts";
import type { ObjectClient, ObjectsQuestion } from "./object-client.ts";

/** For all questions about one thing, milliseconds: a machine behind a slow line gets a large repository in steps, each kept. */
const FETCH_TIMEOUT_MS = 600_000;
/** Answers of one fetch that brought nothing: of an engine that is going, and of one that answers wrongly. The next may be another one's. */
const EMPTY_ANSWERS_MAX = 3;

/** What was asked for and is not had. */
export interface NotHad {
  readonly missing: ReadonlySet<string>;
  readonly tooLarge: ReadonlySet<string>;
}

/** Brings objects from engines into the store: only what is not there, a thousand to a question, each kept as soon as it has come. */
export class ObjectFetcher {
  readonly #client: ObjectClient;
  readonly #store: HubStore;

  constructor(client: ObjectClient, store: HubStore) {
    this.#client = client;
    this.#store = store;
  }

  /** Rejects with OperationError where engines do not answer as they should; what came before that is kept. */
  async bring(question: ObjectsQuestion): Promise<NotHad> {
    const had = { missing: new Set<string>(), tooLarge: new Set<string>() };
    const until = performance.now() + FETCH_TIMEOUT_MS;
    let left = [...new Set(question.ids)].filter((oid) => !this.#store.has(oid));
    for (let empty = 0; left.length > 0; ) {
      const ids = left.slice(0, IDS_MAX);
      const { objects, missing, tooLarge, failure } = await this.#client.objects({ ...question, ids });
      await this.#store.add(objects);
      for (const oid of missing) had.missing.add(oid);
      for (const oid of tooLarge) had.tooLarge.add(oid);
      left = left.filter((oid) => !objects.has(oid) && !missing.has(oid) && !tooLarge.has(oid));
      if (failure === null) continue;
      // Whoever asked waited long enough for one that said nothing.
      if (objects.size === 0 && (failure.code === "source-timeout" || ++empty >= EMPTY_ANSWERS_MAX)) throw failure;
      if (performance.now() > until) throw failure;
    }
    return had;
  }
}

export function notThere(what: string): OperationError {
  return new OperationError("object-missing", `the engine does not have ${what}`, {
    next: "the next try may be answered by another engine, or by this one once its mirror is as new",
  });
}
