import { hostname, userInfo } from "node:os";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { APPLY_LOCK, APPLY_LOCK_MS, type Slot } from "../domain/locks/lock.ts";
import type { Registry } from "../ports/registry.ts";
import { LapseWatch } from "../usecases/lapse-watch.ts";
import { releaseLock } from "../usecases/release-lock.ts";
import { type LockPorts, takeLock } from "../usecases/take-lock.ts";
import type { Composition } from "./composition.ts";

/** Between two looks of one who waits: the lock is held for seconds. */
const LOOK_MS = 500;
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

interface ApplyLockOptions {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly commit: string;
  /** How long to wait for others, in milliseconds. */
  readonly timeoutMs: number;
  /** Called once, where somebody else has it. */
  readonly onWait: (by: readonly Slot[]) => void;
}

/**
 * Does something while nobody else applies to this cluster, or answers who does. It is courtesy: what makes an apply safe is the
 * compare-and-swap of the release (protocol rule 4). A person's Ctrl-C gives it back; whoever is killed holds it until its deadline.
 */
export async function withApplyLock<T>(
  { clock, newId }: Pick<Composition, "clock" | "newId">,
  { registry, keys, commit, timeoutMs, onWait }: ApplyLockOptions,
  work: () => Promise<T>,
): Promise<{ readonly kind: "done"; readonly result: T } | { readonly kind: "locked"; readonly by: readonly Slot[] }> {
  const ports: LockPorts = { registry, keys, clock, newId };
  const holder = `${hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, "-")
    .slice(0, 64)}-${process.pid}-${newId().slice(0, 8)}`;
  const giveBack = () => releaseLock(ports, APPLY_LOCK, holder);
  const listeners = Object.entries(SIGNALS).map(([name, code]) => {
    const end = () => void giveBack().finally(() => process.exit(code));
    process.once(name, end);
    return () => process.removeListener(name, end);
  });
  try {
    const by = await waitFor(ports, { holder, commit, timeoutMs, onWait });
    if (by !== null) return { kind: "locked", by };
    try {
      return { kind: "done", result: await work() };
    } finally {
      await giveBack();
    }
  } finally {
    for (const forget of listeners) forget();
  }
}

/** Null once it is held; those who hold it where the time is over. */
async function waitFor(
  ports: LockPorts,
  {
    holder,
    commit,
    timeoutMs,
    onWait,
  }: Pick<ApplyLockOptions, "commit" | "timeoutMs" | "onWait"> & { readonly holder: string },
): Promise<readonly Slot[] | null> {
  const { clock } = ports;
  const untilMs = clock.monotonicMs() + timeoutMs;
  const watch = new LapseWatch(clock);
  const wish = { name: APPLY_LOCK, holder, by: userInfo().username, reason: `commit ${commit.slice(0, 7)}`, slots: 1 };
  for (let look = 0; ; look++) {
    const answer = await takeLock(ports, { ...wish, forMs: APPLY_LOCK_MS, queues: false }, watch);
    if (answer.kind === "held") return null;
    const leftMs = untilMs - clock.monotonicMs();
    if (leftMs <= 0) return answer.by;
    if (look === 0) onWait(answer.by);
    await clock.sleep(Math.min(LOOK_MS, leftMs));
  }
}
