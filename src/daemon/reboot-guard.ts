import { decodeGrants } from "../codec/lock-records.ts";
import { decodeRebootMemory, encodeRebootMemory } from "../codec/reboot-memory.ts";
import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { MEMBER_SHAPE, type MemberRecord } from "../codec/registry-records.ts";
import { judgeReason, type RebootMemory, type RebootReason } from "../domain/locks/judge-reason.ts";
import { REBOOT_LOCK, REBOOT_SLOT_MS, type Slot, WAITER_BEAT_MS } from "../domain/locks/lock.ts";
import type { MachineId } from "../domain/names.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { FileStore } from "../ports/file-store.ts";
import { type Log, notice, refusal, warning } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { RebootHost } from "../ports/reboot-host.ts";
import type { Registry } from "../ports/registry.ts";
import { LapseWatch } from "../usecases/lapse-watch.ts";
import { readHolds } from "../usecases/read-holds.ts";
import { readLock } from "../usecases/read-lock.ts";
import { releaseLock } from "../usecases/release-lock.ts";
import { takeLock } from "../usecases/take-lock.ts";
import { backoffMs } from "./backoff.ts";

/** How often it looks for a reason: restarts wait for hours, and a look at one file is nothing. */
const IDLE_MS = 15_000;
/** While it waits for its turn or its grant: each look is one read. */
const WAIT_MS = 2_000;
/** A slot that waits for its grant is renewed this long before its deadline could pass. */
const RENEW_MS = REBOOT_SLOT_MS / 3;
/** Between its word that it goes and the restart itself: whoever was held up for longer asks anew. */
const GO_MS = 60_000;
/** systemd stops everything first; one that has not restarted by then is asked again. */
const STOPPING_MS = 300_000;

export interface RebootGuardPorts {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly files: FileStore;
  readonly host: RebootHost;
  readonly log: Log;
}

export interface RebootGuardOptions {
  readonly machine: MachineId;
  /** For people: who took the slot. */
  readonly by: string;
  /** Where it remembers its last restart. */
  readonly memoryPath: string;
  /** Told what it does or waits for, for people. */
  readonly condition: (text: string) => void;
}

/** How one look ended: what is left to do, or `rebooting` once systemd has been asked. */
export type GuardStep = "none" | "left" | "waiting" | "rebooting";

/**
 * Restarts this machine when something wants it to: takes a slot of lock `reboot`, waits for the engine's grant, says that it goes, and asks
 * systemd. The slot is given back by the engine, once the machine is back and well. It remembers nothing in memory that matters: it may die
 * at any point, and goes on by what the registry and its file say.
 */
export class RebootGuard {
  readonly #options: RebootGuardOptions;
  readonly #ports: RebootGuardPorts;
  readonly #lapses: LapseWatch;
  #said = "";
  /** It may have a slot, or stand in the line, from an earlier life as well. */
  #mayHold = true;
  #beatMs = Number.NEGATIVE_INFINITY;
  #renewedMs = Number.NEGATIVE_INFINITY;

  constructor(options: RebootGuardOptions, ports: RebootGuardPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#lapses = new LapseWatch(ports.clock);
  }

  /** Until the signal aborts; with `once`, until nothing wants a restart or systemd has been asked. */
  async run(signal: AbortSignal, once = false): Promise<GuardStep> {
    let step: GuardStep = "none";
    for (let failures = 0; !signal.aborted; ) {
      try {
        step = await this.step();
        failures = 0;
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        this.#say(`${error.code}: ${error.message}`, () => this.#ports.log(refusal(error)));
        failures += 1;
      }
      if (once && failures === 0 && step !== "waiting") break;
      await this.#ports.clock.sleep(failures > 0 ? backoffMs(failures) : RESTS[step], signal);
    }
    return step;
  }

  /** One look, and what follows from it. */
  async step(): Promise<GuardStep> {
    const { host } = this.#ports;
    const reason = await host.reason();
    const known = await this.#remembered();
    const { verdict, memory } = judgeReason(reason, host.bootId, known);
    if (!isSameMemory(memory, known)) await this.#remember(memory);
    if (verdict !== "restart" || reason === null) {
      await this.#giveUp();
      if (verdict === "left") {
        this.#tell(
          `${reason?.text}, also after the restart for it: this machine restarts once more only when that was gone`,
        );
      } else this.#tell("nothing wants this machine to restart");
      return verdict === "left" ? "left" : "none";
    }
    const slot = await this.#takeSlot(reason);
    if (slot === null) return "waiting";
    return (await this.#go(slot, reason)) ? "rebooting" : "waiting";
  }

  /** The slot of this boot, or null where it waits for it. */
  async #takeSlot(reason: RebootReason): Promise<Slot | null> {
    const { registry, keys, clock, host } = this.#ports;
    const { machine } = this.#options;
    if (!(await this.#isMember())) return this.#wait("this machine's agent has not joined the cluster in this boot");
    const lock = await readLock(registry, keys, REBOOT_LOCK);
    const own = lock.held.find(({ holder }) => holder === machine);
    if (own?.boot !== undefined && own.boot !== host.bootId) {
      return this.#wait("the slot of the restart before is not given back yet");
    }
    const nowMs = clock.monotonicMs();
    if (own !== undefined && nowMs - this.#renewedMs < RENEW_MS) return own;
    const beats = nowMs - this.#beatMs >= WAITER_BEAT_MS;
    this.#mayHold = true;
    const answer = await takeLock(this.#ports, { ...this.#wish(reason), beats }, this.#lapses);
    if (beats) this.#beatMs = nowMs;
    if (answer.kind === "waiting") {
      const who = answer.by.map(({ holder }) => holder).join(", ");
      return this.#wait(`waits for a slot: ${answer.ahead} before it${who === "" ? "" : `, held by ${who}`}`);
    }
    this.#renewedMs = nowMs;
    const after = await readLock(registry, keys, REBOOT_LOCK);
    return after.held.find(({ holder, id }) => holder === machine && id === answer.slot.id) ?? null;
  }

  /** Whether systemd has been asked. */
  async #go(slot: Slot, reason: RebootReason): Promise<boolean> {
    const { registry, keys, clock, host } = this.#ports;
    const { machine } = this.#options;
    if (await this.#isHeld()) return this.#wait("this machine is held: it does not restart") !== null;
    const { entries } = await registry.list(keys.grant(machine), { exact: true });
    const grant = decodeGrants(keys, entries)[0];
    if (grant?.slot !== slot.id)
      return this.#wait("has a slot, and waits until the engine says that it may go") !== null;
    // First, and on disk: after the restart only this tells why it was made.
    await this.#remember({ boot: host.bootId, reason: reason.text, left: null });
    const askedMs = clock.monotonicMs();
    const when = [
      { key: keys.grant(machine), target: "mod", is: "=", value: grant.modRevision },
      { key: keys.lock(REBOOT_LOCK, machine), target: "mod", is: "=", value: slot.modRevision },
    ] as const;
    const wish = { ...this.#wish(reason), going: true as const, when };
    const answer = await takeLock(this.#ports, wish, this.#lapses);
    if (answer.kind !== "held" || answer.slot.id !== slot.id) return this.#wait("its grant was withdrawn") !== null;
    if (clock.monotonicMs() - askedMs > GO_MS) return this.#wait("was held up for too long, and asks again") !== null;
    this.#say(`restarts: ${reason.text}`, () => this.#ports.log(notice(`this machine restarts: ${reason.text}`)));
    await host.reboot();
    return true;
  }

  #wish(reason: RebootReason) {
    const { machine, by } = this.#options;
    const { host } = this.#ports;
    const wish = { name: REBOOT_LOCK, holder: machine, by, reason: reason.text, slots: 1, forMs: REBOOT_SLOT_MS };
    return { ...wish, boot: host.bootId, queues: true };
  }

  /** What wanted a restart does not any more: others need not wait for it. A slot of an earlier boot is the engine's to end. */
  async #giveUp(): Promise<void> {
    if (!this.#mayHold) return;
    const { registry, keys, host } = this.#ports;
    const { machine } = this.#options;
    const lock = await readLock(registry, keys, REBOOT_LOCK);
    const own = lock.held.find(({ holder }) => holder === machine);
    const isOwn = own !== undefined && own.boot === host.bootId && own.going !== true;
    if (isOwn) await releaseLock(this.#ports, REBOOT_LOCK, machine, own.id);
    else if (own === undefined && lock.waiting.some(({ holder }) => holder === machine)) {
      await releaseLock(this.#ports, REBOOT_LOCK, machine);
    }
    this.#mayHold = false;
  }

  /** An engine knows this boot by the member record: before that it could not tell a restart from none. */
  async #isMember(): Promise<boolean> {
    const { registry, keys, host } = this.#ports;
    const entry = (await registry.list(keys.member(this.#options.machine), { exact: true })).entries[0];
    const decoded = entry === undefined ? null : decodeRecord<MemberRecord>(entry.value, MEMBER_SHAPE);
    return decoded?.kind === "record" && decoded.record.bootId === host.bootId;
  }

  /** Somebody asked to leave the machine or the whole cluster as it is. */
  async #isHeld(): Promise<boolean> {
    const { registry, keys } = this.#ports;
    const holds = await readHolds(registry, keys, []);
    return holds.some(
      ({ scope }) => scope.kind === "cluster" || (scope.kind === "machine" && scope.machine === this.#options.machine),
    );
  }

  async #remembered(): Promise<RebootMemory | null> {
    return decodeRebootMemory(await this.#ports.files.read(this.#options.memoryPath));
  }

  async #remember(memory: RebootMemory | null): Promise<void> {
    const { memoryPath } = this.#options;
    if (memory === null) await this.#ports.files.remove(memoryPath);
    else await this.#ports.files.write(memoryPath, encodeRebootMemory(memory));
  }

  #wait(text: string): null {
    this.#tell(text);
    return null;
  }

  #tell(text: string): void {
    this.#say(text, () => this.#ports.log(text.includes("once more") ? warning(text) : notice(text)));
  }

  /** Once for each thing there is to say. */
  #say(text: string, log: () => void): void {
    this.#options.condition(text);
    if (this.#said !== text) log();
    this.#said = text;
  }
}

const RESTS: Readonly<Record<GuardStep, number>> = {
  none: IDLE_MS,
  left: IDLE_MS,
  waiting: WAIT_MS,
  rebooting: STOPPING_MS,
};

function isSameMemory(a: RebootMemory | null, b: RebootMemory | null): boolean {
  return a?.boot === b?.boot && a?.reason === b?.reason && a?.left === b?.left;
}
