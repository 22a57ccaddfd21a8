import type { Message, MessageBus } from "dbus-next";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";

/** Longer than a daemon-reload with 3,000 active units takes (8 s measured); after it the bus counts as gone. */
const CALL_TIMEOUT_MS = 30_000;
/** dbus-daemon allows 128 unanswered calls a connection and refuses the rest. */
const CALLS_IN_FLIGHT_MAX = 96;

export interface Call {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly destination?: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** An error systemd or the bus answered with, by its D-Bus name. */
export class BusError extends OperationError {
  readonly busName: string;

  constructor(busName: string, call: Call, cause: unknown) {
    super("systemd-refused", `systemd refused ${call.member}: ${cause instanceof Error ? cause.message : busName}`, { cause });
    this.busName = busName;
  }
}

/**
 * One connection to a D-Bus, made when first needed and again after it ended. Calls have a timeout and a place in a queue; when the
 * connection ends every pending call rejects with `systemd-unreachable`. Signals reach `onSignal`; what it throws stays here,
 * because the library would send it to systemd as an error.
 */
export class Bus {
  readonly #address: string;
  readonly #clock: Clock;
  /** Run on each new connection before any other call: matches and subscriptions do not survive one. */
  readonly #prepare: (bus: Bus) => Promise<void>;
  readonly #onSignal: (message: Message) => void;
  readonly #onLost: () => void;
  #connection: Promise<Connection> | null = null;
  #inFlight = 0;
  readonly #queue: (() => void)[] = [];

  constructor(options: {
    readonly address: string;
    readonly clock: Clock;
    readonly prepare: (bus: Bus) => Promise<void>;
    readonly onSignal: (message: Message) => void;
    readonly onLost: () => void;
  }) {
    this.#address = options.address;
    this.#clock = options.clock;
    this.#prepare = options.prepare;
    this.#onSignal = options.onSignal;
    this.#onLost = options.onLost;
  }

  /** The reply's body. Rejects with BusError where the other side said no, `systemd-unreachable` where it said nothing. */
  async call(call: Call, timeoutMs = CALL_TIMEOUT_MS): Promise<unknown[]> {
    const connection = await this.#connected();
    return this.#callOn(connection, call, timeoutMs);
  }

  close(): void {
    const connection = this.#connection;
    this.#connection = null;
    void connection?.then(
      (open) => open.end("closed"),
      () => undefined, // It never opened.
    );
  }

  /** During `prepare` only: a call on the connection that is being made. */
  #preparing: Connection | null = null;

  #connected(): Promise<Connection> {
    if (this.#preparing !== null) return Promise.resolve(this.#preparing);
    this.#connection ??= this.#connect().catch((error: unknown) => {
      this.#connection = null;
      throw error;
    });
    return this.#connection;
  }

  async #connect(): Promise<Connection> {
    const library = await import("dbus-next");
    const connection = await openConnection(library, this.#address, this.#clock, (message) => this.#onSignal(message));
    connection.ended.signal.addEventListener("abort", () => {
      this.#connection = null;
      this.#onLost();
    });
    this.#preparing = connection;
    try {
      await this.#prepare(this);
    } finally {
      this.#preparing = null;
    }
    return connection;
  }

  async #callOn(connection: Connection, call: Call, timeoutMs: number): Promise<unknown[]> {
    await this.#place();
    try {
      return await connection.call(call, timeoutMs);
    } finally {
      this.#inFlight--;
      this.#queue.shift()?.();
    }
  }

  async #place(): Promise<void> {
    while (this.#inFlight >= CALLS_IN_FLIGHT_MAX) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#inFlight++;
  }
}

interface Connection {
  readonly ended: AbortController;
  call(call: Call, timeoutMs: number): Promise<unknown[]>;
  end(why: string): void;
}

async function openConnection(
  library: typeof import("dbus-next"),
  address: string,
  clock: Clock,
  onSignal: (message: Message) => void,
): Promise<Connection> {
  const bus = library.sessionBus({ busAddress: address });
  const ended = new AbortController();
  const end = (why: string): void => {
    if (!ended.signal.aborted) ended.abort(new OperationError("systemd-unreachable", `lost the connection to systemd: ${why}`));
  };
  const opened = new Promise<void>((resolve, reject) => {
    bus.once("connect", () => resolve());
    ended.signal.addEventListener("abort", () => reject(ended.signal.reason));
  });
  (bus as NodeJS.EventEmitter).on("error", (error: Error) => end(error.message));
  // The library has no event for a connection that ends; its socket has.
  (bus as unknown as { _connection: NodeJS.EventEmitter })._connection.on("end", () => end("it was closed"));
  bus.on("message", (message: Message) => {
    if (message.type !== library.MessageType.SIGNAL) return;
    try {
      onSignal(message);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  });
  const connection: Connection = {
    ended,
    end(why) {
      end(why);
      bus.disconnect();
    },
    call: (call, timeoutMs) => callOn(library, bus, ended.signal, clock, call, timeoutMs),
  };
  await withTimeout(opened, clock, CALL_TIMEOUT_MS, "connecting to systemd", ended.signal);
  return connection;
}

async function callOn(
  library: typeof import("dbus-next"),
  bus: MessageBus,
  ended: AbortSignal,
  clock: Clock,
  call: Call,
  timeoutMs: number,
): Promise<unknown[]> {
  ended.throwIfAborted();
  const message = new library.Message({
    destination: call.destination ?? "org.freedesktop.systemd1",
    path: call.path,
    interface: call.interface,
    member: call.member,
    signature: call.signature ?? "",
    body: [...(call.body ?? [])],
  });
  const reply = bus.call(message).catch((error: unknown) => {
    if (error instanceof library.DBusError) throw new BusError(error.type, call, error);
    throw new OperationError("systemd-unreachable", `cannot call ${call.member}`, { cause: error });
  });
  return (await withTimeout(reply, clock, timeoutMs, call.member, ended))?.body ?? [];
}

async function withTimeout<T>(promise: Promise<T>, clock: Clock, timeoutMs: number, what: string, ended: AbortSignal): Promise<T> {
  const timer = new AbortController();
  const late = clock.sleep(timeoutMs, AbortSignal.any([timer.signal, ended])).then((): never => {
    ended.throwIfAborted();
    throw new OperationError("systemd-timeout", `systemd did not answer ${what} within ${timeoutMs / 1000} s`);
  });
  late.catch(() => undefined); // Lost races are nobody's failure.
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}
