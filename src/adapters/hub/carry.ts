import type { Duplex } from "node:stream";
import type { Clock } from "../../ports/clock.ts";

/** Who of the two ended it first. */
export type EndedBy = "client" | "engine";

/** What is said within this long before an end is part of it: a farewell, milliseconds before. */
const FAREWELL_MS = 1_000;

/** How long one direction may stay open once the other has ended: what is left to be read is some frames of a connection that closes. */
const HALF_CLOSED_MAX_MS = 5_000;

export interface CarryWatcher {
  /** The engine has said its first byte. */
  heard(): void;
  /** The first of the two has ended; before the other one hears of it. `idleMs`: how long nothing had been said before it took its leave. */
  ended(by: EndedBy, idleMs: number): void;
}

/**
 * Carries bytes between the two, in both directions, each as fast as its reader reads, until both have ended; then nothing of either is
 * open.
 */
export function carry(client: Duplex, engine: Duplex, watcher: CarryWatcher, clock: Clock): void {
  const over = new AbortController();
  let isEnding = false;
  let open = 2;
  let saidMs = clock.monotonicMs();
  let saidBeforeMs = saidMs;
  const said = () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - saidMs > FAREWELL_MS) saidBeforeMs = saidMs;
    saidMs = nowMs;
  };
  const ending = (by: EndedBy) => {
    if (isEnding) return;
    isEnding = true;
    const nowMs = clock.monotonicMs();
    watcher.ended(by, nowMs - (nowMs - saidMs > FAREWELL_MS ? saidMs : saidBeforeMs));
    void clock.sleep(HALF_CLOSED_MAX_MS, over.signal).then(() => {
      client.destroy();
      engine.destroy();
    });
  };
  const watch = (stream: Duplex, other: Duplex, who: EndedBy) => {
    // 'close' follows each of them, and says the same to whoever is on the other side.
    stream.on("error", () => ending(who));
    stream.on("end", () => ending(who));
    stream.on("close", () => {
      ending(who);
      // What came before a clean end is still being written; after a reset the other side is to hear of one.
      if (!stream.readableEnded) other.destroy();
      open -= 1;
      if (open === 0) over.abort();
    });
  };
  watch(client, engine, "client");
  watch(engine, client, "engine");
  client.on("data", said);
  engine.on("data", said);
  engine.once("data", () => watcher.heard());
  client.pipe(engine);
  engine.pipe(client);
}
