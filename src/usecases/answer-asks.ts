import { decodeJournalAsk } from "../codec/journal-ask.ts";
import type { NodeKey } from "../domain/identity/node-key.ts";
import type { MachineId, UnitName } from "../domain/names.ts";
import { ASK_GOOD_FOR_MS, type AskRefusal, judgeAsk } from "../domain/reach/judge-ask.ts";
import type { SpecMachine } from "../domain/spec/cluster-spec.ts";
import { serviceNameOf } from "../domain/unit/unit-name.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, notice, warning } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Answerer, JournalReader, SignedAsk } from "../ports/reach.ts";

export interface AnswerPorts {
  readonly self: MachineId;
  /** Names or ids of machines whose root may read the journal of fleet's units here. */
  readonly allowed: readonly string[];
  readonly clusterId: () => Promise<string | null>;
  /** Units that are fleet's here. */
  readonly units: () => Promise<ReadonlySet<UnitName>>;
  readonly journal: JournalReader;
  readonly isSignedBy: (ask: SignedAsk, key: NodeKey) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Remembered at once, so that none is answered twice: four a second of four minutes, and 100 KiB. */
const ANSWERED_MAX = 1_000;

/** What this machine answers to who asks it through engines: journals of its own units, to those its configuration names. */
export class AskAnswerer {
  readonly #ports: AnswerPorts;
  #machines: readonly SpecMachine[] | null = null;
  /** By when each could be answered again, monotonic: later it is too old. */
  readonly #answered = new Map<string, number>();

  constructor(ports: AnswerPorts) {
    this.#ports = ports;
  }

  /** Of the commit this machine has accepted. */
  accept(machines: readonly SpecMachine[]): void {
    this.#machines = machines;
  }

  readonly answer: Answerer = (ask, signal) => this.#answer(ask, signal);

  async *#answer(signed: SignedAsk, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const { self, allowed, clock, log, journal, isSignedBy } = this.#ports;
    const ask = decodeJournalAsk(signed.text);
    if (ask === null) throw new OperationError("bad-request", "this machine's fleet does not understand what is asked");
    const [clusterId, units] = await Promise.all([this.#ports.clusterId(), this.#ports.units()]);
    this.#forget();
    const refusal = judgeAsk(ask, {
      ...{ self, clusterId, allowed, units, machines: this.#machines, nowMs: clock.wallMs() },
      wasAnswered: (id) => this.#answered.has(id),
      isSignedBy: (key) => isSignedBy(signed, key),
    });
    const asker = this.#machines?.find(({ id }) => id === ask.from)?.key ?? ask.from;
    if (refusal !== null) {
      log(warning(`${refusal}: machine ${asker} asked for the journal of ${ask.unit}`));
      throw refusalOf(refusal, asker);
    }
    if (this.#answered.size >= ANSWERED_MAX) {
      throw new OperationError("machine-busy", `it has answered ${ANSWERED_MAX} times in four minutes`, {
        next: "follow a journal (-f) instead of asking again and again",
      });
    }
    this.#answered.set(ask.id, clock.monotonicMs() + 2 * ASK_GOOD_FOR_MS);
    log(notice(`machine ${asker} reads the journal of ${ask.unit}`));
    yield* journal.read(serviceNameOf(ask.unit as UnitName), ask, signal);
  }

  #forget(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const [id, untilMs] of this.#answered) if (untilMs < nowMs) this.#answered.delete(id);
  }
}

const SAID: Readonly<Record<AskRefusal, readonly [message: string, next: string]>> = {
  "reach-not-ready": [
    "it has not accepted a release since its agent started",
    "try again when it has; fleet status says what it waits for",
  ],
  "ask-elsewhere": ["it was asked in the name of another machine or cluster", "ask it by the id it has now"],
  "ask-unproven": [
    "its accepted commit lists no machine with that id and key",
    "list this machine's key in the manifest, and apply; fleet join prints it",
  ],
  "journal-not-allowed": [
    "its own configuration does not let this machine read journals",
    'on that machine: allow_journal="NAME" in /etc/fleet/fleet.conf, and restart fleet-agent',
  ],
  "ask-late": ["the clocks of the two machines are more than two minutes apart", "set them: timedatectl"],
  "ask-repeated": ["this very question was answered already", "ask anew"],
  "unit-not-here": ["that is no unit of fleet on this machine", "fleet status says where it is"],
};

function refusalOf(refusal: AskRefusal, asker: string): OperationError {
  const [message, next] = SAID[refusal];
  return new OperationError(refusal, `the machine refuses ${asker}: ${message}`, { next });
}
