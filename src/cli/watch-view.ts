import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { isReaderGone } from "./reader-gone.ts";
import { errorText } from "./report-error.ts";
import { newLines } from "./views/new-lines.ts";

/** What comes in meanwhile is shown together: nobody reads faster, and a rollout changes a hundred records a second. */
const GATHER_MS = 300;
/** Until the registry is asked again after it did not answer. */
const RETRY_MS = 2_000;
/** Cursor to the corner, and nothing below it. */
const CLEAR = "\x1b[H\x1b[2J\x1b[3J";

export interface Watched<T> {
  readonly look: () => Promise<T>;
  readonly textOf: (seen: T) => string;
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly clock: Clock;
  /** Each look is a whole value on one line, and no line is taken apart. */
  readonly json: boolean;
}

/**
 * Shows the cluster again whenever its records change: on a terminal in place, elsewhere a line for each line that is new. A registry that
 * does not answer is told once, and asked again; what was shown stays. Ends when nobody reads any more; a signal ends the process.
 */
export async function watchView<T>({ look, textOf, registry, keys, clock, json }: Watched<T>): Promise<void> {
  const isTerminal = process.stdout.isTTY && !json;
  let before = "";
  let told = "";
  while (!isReaderGone()) {
    const stop = new AbortController();
    try {
      // Before the look, so that no change between it and the watch is missed.
      const { revision } = await registry.list(keys.release, { exact: true });
      const text = textOf(await look());
      told = "";
      if (text !== before) {
        if (isTerminal) process.stdout.write(`${CLEAR}${text}\n`);
        else for (const line of json ? [text] : newLines(before, text)) process.stdout.write(`${line}\n`);
      }
      before = text;
      for await (const message of registry.watch(keys.root, revision, stop.signal)) {
        if (message.kind === "progress") continue;
        await clock.sleep(GATHER_MS);
        break;
      }
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      const said = errorText(error);
      if (said !== told) process.stderr.write(`${said}\n`);
      told = said;
      await clock.sleep(RETRY_MS);
    } finally {
      stop.abort();
    }
  }
}
