import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { ImageRequest, Podman } from "../ports/podman.ts";

/** `away`: podman could not get it, in its own words. */
export type ImageState =
  | { readonly kind: "here" }
  | { readonly kind: "coming" }
  | { readonly kind: "away"; readonly words: string };

/** Looking for an image is a process of a tenth of a second, and a pull mostly waits for others. */
const AT_ONCE = 4;
/** A registry that refused is asked again after this long, then twice that, and so on up to the last. */
const RETRY_FIRST_MS = 10_000;
const RETRY_LAST_MS = 300_000;

interface Pull {
  readonly request: ImageRequest;
  state: ImageState;
  failures: number;
  /** Monotonic; null while it is under way. */
  againMs: number | null;
}

/** Images on their way to this machine, fetched beside everything else: whoever needs one asks in each pass, and each end wakes. */
export class ImagePulls {
  readonly #podman: Pick<Podman, "hasImage" | "pull">;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #pulls = new Map<string, Pull>();
  readonly #waiting: Pull[] = [];
  #underWay = 0;

  constructor(podman: Pick<Podman, "hasImage" | "pull">, clock: Clock, wake: () => void) {
    this.#podman = podman;
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Begins to fetch it where that is due. */
  state(request: ImageRequest): ImageState {
    const key = keyOf(request);
    const pull = this.#pulls.get(key) ?? { request, state: { kind: "coming" }, failures: 0, againMs: 0 };
    this.#pulls.set(key, pull);
    const isDue = pull.againMs !== null && pull.state.kind !== "here" && this.#clock.monotonicMs() >= pull.againMs;
    if (isDue) {
      pull.againMs = null;
      this.#waiting.push(pull);
      this.#next();
    }
    return pull.state;
  }

  /** What nobody asks for any more is looked for again when somebody does: it may have been removed. */
  keepOnly(requests: readonly ImageRequest[]): void {
    const kept = new Set(requests.map(keyOf));
    for (const [key, pull] of this.#pulls) if (!kept.has(key) && pull.againMs !== null) this.#pulls.delete(key);
  }

  #next(): void {
    while (this.#underWay < AT_ONCE) {
      const pull = this.#waiting.shift();
      if (pull === undefined) return;
      this.#underWay++;
      void this.#fetch(pull).finally(() => {
        this.#underWay--;
        this.#next();
        this.#wake();
      });
    }
  }

  async #fetch(pull: Pull): Promise<void> {
    const words = await this.#wordsOf(pull.request);
    if (words === null) {
      pull.state = { kind: "here" };
      pull.failures = 0;
    } else {
      pull.state = { kind: "away", words };
      pull.failures++;
    }
    const waitMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** Math.max(0, pull.failures - 1));
    pull.againMs = this.#clock.monotonicMs() + waitMs;
  }

  async #wordsOf(request: ImageRequest): Promise<string | null> {
    try {
      return (await this.#podman.hasImage(request)) ? null : await this.#podman.pull(request);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return error.message;
    }
  }
}

function keyOf({ image, authFile }: ImageRequest): string {
  return JSON.stringify([image, authFile]);
}
