import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { DBusError, Message, type MessageBus, MessageType, sessionBus } from "dbus-next";
import { invariant } from "../../domain/invariant.ts";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { ERROR, encodeCall, FrameReader, type IncomingMessage, RETURN, SIGNAL } from "./bus-frames.ts";

/** dbus-daemon refuses a connection's 129th call that has no reply yet; the rest is room for whoever shares the limit. */
const OUTSTANDING_CALLS_MAX = 96;
/** A dbus-daemon that lives says hello within milliseconds, even on a loaded machine within seconds. */
const CONNECT_TIMEOUT_MS = 10_000;
/**
 * PID 1 answers nothing during a daemon-reload: 3 s with 3,000 units here, and it lets a hanging generator live for 90 s.
 * Whoever is silent for longer is taken for gone, and the connection with it: an unanswered call would keep its place.
 */
const CALL_TIMEOUT_MS = 100_000;
/** How often the oldest call is looked at; one timer for all, since there may be thousands of calls a second. */
const WATCH_MS = 1_000;

export const SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket";
export const SYSTEMD_PATH = "/org/freedesktop/systemd1";
const MANAGER = "org.freedesktop.systemd1.Manager";
const BUS = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };
const SYSTEMD = { destination: "org.freedesktop.systemd1", path: SYSTEMD_PATH, interface: MANAGER };

/**
 * All we listen to, as narrow as it goes: each signal is parsed, and a job alone causes twenty. UnitNew and UnitRemoved are
 * left out: a daemon-reload sends one for every unit, and so does any look at a unit systemd does not hold.
 */
const MATCH_RULES = [
  ...["JobRemoved", "Reloading"].map(
    (member) =>
      `type='signal',sender='${SYSTEMD.destination}',path='${SYSTEMD_PATH}',interface='${MANAGER}',member='${member}'`,
  ),
  `type='signal',sender='${BUS.destination}',path='${BUS.path}',member='NameOwnerChanged',arg0='${SYSTEMD.destination}'`,
];
/** A unit on its way up sends eight of these with two dozen properties each. */
const UNITS_RULE = `type='signal',sender='${SYSTEMD.destination}',path_namespace='${SYSTEMD_PATH}/unit',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',arg0='org.freedesktop.systemd1.Unit'`;

/** A method of systemd; the Manager's where no object is named. */
export interface SystemdCall {
  readonly path?: string;
  readonly interface?: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

export interface BusListener {
  /** A signal of systemd's. */
  signal(member: string, message: Pick<IncomingMessage, "body" | "path">): void;
  /** A connection that stood is gone; what it would have told is lost. */
  lost(error: OperationError): void;
}

/**
 * systemd on a D-Bus socket. Connects with the first call and again with the first one after a loss. A call rejects with
 * dbus-next's DBusError where systemd answered with an error, with OperationError `systemd-unreachable` where nobody did.
 */
export class SystemBus {
  readonly #address: string;
  readonly #clock: Clock;
  readonly #listener: BusListener;
  #connection: Promise<Connection> | null = null;
  #closed = false;
  #hearsUnits = true;
  #outstanding = 0;
  readonly #queue: (() => void)[] = [];

  constructor(address: string, clock: Clock, listener: BusListener) {
    this.#address = address;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** The reply's body. */
  async call(call: SystemdCall): Promise<readonly unknown[]> {
    if (this.#outstanding < OUTSTANDING_CALLS_MAX) this.#outstanding++;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      const connection = await this.#connect();
      return (await connection.call({ ...SYSTEMD, ...call })).body();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#outstanding--;
      else next();
    }
  }

  /** Whether the states units go through are heard of. The ends of jobs always are. A failure ends the connection. */
  async hearUnits(heard: boolean): Promise<void> {
    this.#hearsUnits = heard;
    const connection = await this.#connection?.catch(() => null); // The next one is set up as is wanted then.
    await connection
      ?.hearUnits(this.#hearsUnits)
      .catch((error: unknown) => connection.end(unreachable("what is listened to could not be changed", error)));
  }

  close(): void {
    this.#closed = true;
    const closed = unreachable("the connection was closed");
    this.#connection?.then(
      (connection) => connection.end(closed),
      () => undefined, // It never stood; its callers know.
    );
  }

  #connect(): Promise<Connection> {
    if (this.#closed) return Promise.reject(unreachable("the connection was closed"));
    if (this.#connection !== null) return this.#connection;
    const connection = this.#open();
    this.#connection = connection;
    connection.catch(() => this.#forget(connection));
    return connection;
  }

  async #open(): Promise<Connection> {
    const connection = new Connection(sessionBus({ busAddress: this.#address }), this.#clock, this.#listener);
    const opened = this.#setUp(connection);
    const lost = connection.ended.then((error) => {
      throw error;
    });
    await Promise.race([opened, lost]).catch((error: unknown) => {
      connection.end(unreachable("it could not be set up", error));
      throw error;
    });
    const standing = this.#connection;
    void connection.ended.then((error) => {
      if (standing !== null) this.#forget(standing);
      if (!this.#closed) this.#listener.lost(error);
    });
    return connection;
  }

  /** Rules come before Subscribe, and both before anything is started: no signal of ours is missed. */
  async #setUp(connection: Connection): Promise<void> {
    await connection.connected;
    await Promise.all([...MATCH_RULES.map((rule) => connection.match(rule)), connection.hearUnits(this.#hearsUnits)]);
    await connection.subscribe();
  }

  #forget(connection: Promise<Connection>): void {
    if (this.#connection === connection) this.#connection = null;
  }
}

interface Pending {
  readonly deadlineMs: number;
  readonly resolve: (reply: IncomingMessage) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One socket, from its opening to its end; it does not come back. dbus-next connects and says hello; from its first answer on the socket
 * is read and written here: what it does to each message was a third of an agent's work.
 */
class Connection {
  readonly connected: Promise<void>;
  /** Resolves (never rejects) with why it ended. */
  readonly ended: Promise<OperationError>;
  readonly #bus: MessageBus;
  readonly #clock: Clock;
  readonly #listener: BusListener;
  readonly #end = new AbortController();
  /** By the serial of the call; in the order of their deadlines: all have the same patience. */
  readonly #pending = new Map<number, Pending>();
  readonly #frames = new FrameReader();
  #socket: Socket | null = null;
  #watching = false;
  #hearsUnits = false;
  /** systemd's unique name: any process may send a signal straight to us, past all rules. */
  #systemd: string | null = null;

  constructor(bus: MessageBus, clock: Clock, listener: BusListener) {
    this.#bus = bus;
    this.#clock = clock;
    this.#listener = listener;
    this.ended = new Promise((resolve) => {
      this.#end.signal.addEventListener("abort", () => resolve(this.#end.signal.reason as OperationError));
    });
    // The bus object says nothing of its connection's end, nor does a call that waits: only this inner object does.
    const inner = Reflect.get(bus, "_connection");
    invariant(inner instanceof EventEmitter, "dbus-next keeps its connection elsewhere now");
    inner.once("end", () => this.end(unreachable("the connection ended")));
    (bus as EventEmitter).on("error", (error) => this.end(unreachable("the connection broke", error)));
    bus.once("message", () => this.#takeOver(Reflect.get(inner, "stream")));
    this.connected = new Promise((resolve) => bus.once("connect", resolve));
    const inTime = new AbortController();
    void this.connected.then(() => inTime.abort());
    void clock.sleep(CONNECT_TIMEOUT_MS, AbortSignal.any([this.#end.signal, inTime.signal])).then(() => {
      if (!inTime.signal.aborted) this.end(unreachable(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`));
    });
  }

  /** In the midst of dbus-next's reading loop, between two messages: what it does not find any more it does not read. */
  #takeOver(socket: unknown): void {
    invariant(socket instanceof Socket, "dbus-next connects by something else now");
    const rest: unknown = socket.read();
    socket.removeAllListeners("readable");
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#socket = socket;
    // After the answer in hand, which is the library's.
    if (rest instanceof Buffer) queueMicrotask(() => this.#read(rest));
  }

  #read(chunk: Buffer): void {
    if (this.#end.signal.aborted) return;
    try {
      for (const message of this.#frames.push(chunk)) this.#handle(message);
    } catch (error) {
      this.end(unreachable("a message could not be handled", error));
    }
  }

  #handle(message: IncomingMessage): void {
    if (message.type === SIGNAL) {
      if (message.sender === BUS.destination) this.#heardOfNames(message);
      else if (message.sender === this.#systemd) this.#listener.signal(message.member, message);
      return;
    }
    const pending = this.#pending.get(message.replySerial);
    if (pending === undefined) return;
    this.#pending.delete(message.replySerial);
    if (message.type === RETURN) pending.resolve(message);
    else if (message.type === ERROR) {
      const [text] = message.body();
      pending.reject(busError(message.errorName, typeof text === "string" ? text : ""));
    }
  }

  #heardOfNames(message: IncomingMessage): void {
    const [name, , owner] = message.body();
    if (message.member === "NameOwnerChanged") this.#ownerChanged(String(name), String(owner));
    this.#listener.signal(message.member, message);
  }

  async match(rule: string, member: "AddMatch" | "RemoveMatch" = "AddMatch"): Promise<void> {
    await this.call({ ...BUS, member, signature: "s", body: [rule] });
  }

  async hearUnits(heard: boolean): Promise<void> {
    if (heard === this.#hearsUnits) return;
    this.#hearsUnits = heard;
    await this.match(UNITS_RULE, heard ? "AddMatch" : "RemoveMatch");
  }

  /** Makes systemd send signals at all, and remembers who it is. */
  async subscribe(): Promise<void> {
    try {
      this.#systemd = (await this.call({ ...SYSTEMD, member: "Subscribe" })).sender;
    } catch (error) {
      if (!(error instanceof DBusError && error.type === "org.freedesktop.systemd1.AlreadySubscribed")) throw error;
    }
  }

  /** systemd executed itself anew: its signals come from another name now, and those of the moment between are lost. */
  #ownerChanged(name: string, owner: string): void {
    if (name !== SYSTEMD.destination) return;
    this.#systemd = owner;
    if (owner === "") return;
    this.subscribe().catch((error: unknown) => this.end(unreachable("systemd takes no subscription", error)));
  }

  call(call: typeof SYSTEMD & SystemdCall): Promise<IncomingMessage> {
    if (this.#end.signal.aborted) return Promise.reject(this.#end.signal.reason);
    return new Promise((resolve, reject) => {
      const serial = this.#bus.newSerial();
      this.#write(encodeCall(serial, call));
      this.#pending.set(serial, { deadlineMs: this.#clock.monotonicMs() + CALL_TIMEOUT_MS, resolve, reject });
      if (!this.#watching) void this.#watch();
    });
  }

  /** Calls made together are one write. */
  #write(bytes: Buffer): void {
    const socket = this.#socket;
    invariant(socket !== null, "the bus is connected before it is called");
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    socket.write(bytes);
  }

  /** The first reason counts; every call that waits is rejected with it. */
  end(error: OperationError): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort(error);
    this.#bus.disconnect();
    // Whoever is silent does not close its side either, and a socket half open would keep this process alive.
    const stream: unknown = Reflect.get(Reflect.get(this.#bus, "_connection"), "stream");
    if (stream instanceof Socket) stream.destroy();
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  async #watch(): Promise<void> {
    this.#watching = true;
    while (this.#pending.size > 0) {
      await this.#clock.sleep(WATCH_MS, this.#end.signal);
      const [oldest] = this.#pending.values();
      if (oldest !== undefined && this.#clock.monotonicMs() > oldest.deadlineMs) {
        this.end(unreachable(`systemd did not answer for ${CALL_TIMEOUT_MS / 1000} s`));
      }
    }
    this.#watching = false;
  }
}

/** As dbus-next makes them, with a reply of its own kind. */
function busError(name: string, text: string): DBusError {
  return new DBusError(name, text, new Message({ type: MessageType.ERROR, errorName: name, replySerial: 1 }));
}

function unreachable(what: string, cause?: unknown): OperationError {
  const because = cause instanceof Error ? `: ${cause.message}` : "";
  return new OperationError("systemd-unreachable", `systemd cannot be reached over D-Bus: ${what}${because}`, {
    ...(cause === undefined ? {} : { cause }),
    next: "look at systemctl status dbus.service",
  });
}
