import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { decode, encode, type Packet, streamEncode } from "dns-packet";
import type { DnsRecord, ServiceAnswer, ServiceQuery } from "../../domain/discovery/answer-query.ts";
import { OperationError } from "../../ports/operation-error.ts";

/** What arrives whole over any link (DNS flag day 2020); more than 512 only for who says that it takes it. */
const UDP_BYTES_MAX = 1_232;
const UDP_BYTES_PLAIN = 512;
/** A question has one name of at most 255 bytes; what is longer is none. */
const QUERY_BYTES_MAX = 1_024;
/** Resolvers keep one or two open. */
const CONNECTIONS_MAX = 64;
const CONNECTION_IDLE_MS = 5_000;
/** Bits of a response's flags: RFC 1035, section 4.1.1. */
const AUTHORITATIVE = 1 << 10;
const TRUNCATED = 1 << 9;
const RECURSION_DESIRED = 1 << 8;
const RCODE = { formatError: 1, unknownName: 3, notImplemented: 4, refused: 5 } as const;
/** Asked of a zone that answers nothing: how long that may be kept. */
const NEGATIVE_TTL_S = 1;

/**
 * Answers for one zone, over UDP and TCP at one address, until the signal aborts; for any other name it is not the one to ask. `answer` is
 * asked anew each time. Rejects with `dns-listen` where the address is taken or not to be had.
 */
export async function serveDns(options: {
  readonly host: string;
  readonly port: number;
  readonly zone: string;
  readonly ttlS: number;
  readonly answer: (query: ServiceQuery) => ServiceAnswer;
  readonly signal: AbortSignal;
}): Promise<{ readonly port: number; readonly ended: Promise<void> }> {
  const { host, signal } = options;
  const desk = new DnsDesk(options);
  const tcp = createServer({ allowHalfOpen: false }, (socket) => serveStream(socket, desk));
  tcp.maxConnections = CONNECTIONS_MAX;
  const udp = createSocket({ type: host.includes(":") ? "udp6" : "udp4" });
  udp.on("message", (message, from) => answerDatagram(udp, desk, message, from));
  try {
    tcp.listen(options.port, host);
    await once(tcp, "listening");
    const { port } = tcp.address() as { port: number };
    udp.bind(port, host);
    await once(udp, "listening");
    return { port, ended: untilAborted(tcp, udp, signal) };
  } catch (cause) {
    tcp.close();
    throw new OperationError("dns-listen", `cannot listen on ${host}:${options.port}`, {
      cause,
      next: "name another address: --listen 127.0.0.1:5354",
    });
  }
}

async function untilAborted(tcp: Server, udp: UdpSocket, signal: AbortSignal): Promise<void> {
  // An error of a socket that is bound is one answer that went nowhere.
  udp.on("error", () => undefined);
  tcp.on("error", () => undefined);
  if (!signal.aborted) await once(signal, "abort");
  udp.close();
  tcp.close();
}

function answerDatagram(udp: UdpSocket, desk: DnsDesk, message: Uint8Array, from: RemoteInfo): void {
  const response = desk.respond(message);
  if (response === null) return;
  const { packet, bytesMax } = response;
  const whole = encode(packet);
  const bytes =
    whole.length <= bytesMax
      ? whole
      : encode({ ...packet, answers: [], additionals: [], flags: (packet.flags ?? 0) | TRUNCATED });
  udp.send(bytes, from.port, from.address, () => undefined);
}

function serveStream(socket: Socket, desk: DnsDesk): void {
  let received = Buffer.alloc(0);
  socket.setTimeout(CONNECTION_IDLE_MS, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2) {
      const length = received.readUInt16BE(0);
      if (length > QUERY_BYTES_MAX) return void socket.destroy();
      if (received.length < length + 2) return;
      const response = desk.respond(received.subarray(2, length + 2));
      received = received.subarray(length + 2);
      if (response === null) return void socket.destroy();
      socket.write(streamEncode(response.packet));
    }
  });
}

/** What is said to a question, whichever way it came. */
class DnsDesk {
  readonly #zone: string;
  readonly #ttlS: number;
  readonly #answer: (query: ServiceQuery) => ServiceAnswer;
  /** Clients mostly take the first address they are given. */
  #turn = 0;

  constructor({ zone, ttlS, answer }: { zone: string; ttlS: number; answer: (query: ServiceQuery) => ServiceAnswer }) {
    this.#zone = zone;
    this.#ttlS = ttlS;
    this.#answer = answer;
  }

  /** Null: not even a question. */
  respond(message: Uint8Array): { readonly packet: Packet; readonly bytesMax: number } | null {
    const query = readPacket(message);
    if (query === null || query.type !== "query") return null;
    const [question, ...more] = query.questions ?? [];
    const edns = query.additionals?.find(({ type }) => type === "OPT") as { udpPayloadSize?: number } | undefined;
    const bytesMax = Math.min(UDP_BYTES_MAX, Math.max(UDP_BYTES_PLAIN, edns?.udpPayloadSize ?? 0));
    const base: Packet = {
      type: "response",
      id: query.id ?? 0,
      flags: (query.flags ?? 0) & RECURSION_DESIRED,
      questions: question === undefined ? [] : [question],
    };
    const failed = (rcode: number) => ({ packet: { ...base, flags: base.flags! | rcode }, bytesMax });
    if (query.opcode !== undefined && query.opcode !== "QUERY") return failed(RCODE.notImplemented);
    if (question === undefined || more.length > 0) return failed(RCODE.formatError);
    const { name, type } = question;
    const isKnown = type === "A" || type === "AAAA" || type === "SRV";
    const answer = this.#answer({ name: name.toLowerCase().replace(/\.$/, ""), type: isKnown ? type : "OTHER" });
    if (answer.kind === "refused") return failed(RCODE.refused);
    const flags = base.flags! | AUTHORITATIVE | (answer.kind === "unknown" ? RCODE.unknownName : 0);
    const records = answer.kind === "found" ? this.#turned(answer.records) : [];
    const packet: Packet = {
      ...{ ...base, flags },
      // The name as it was asked, letter by letter: resolvers compare.
      answers: records.map((record) => this.#written({ ...record, name })),
      additionals: (answer.kind === "found" ? answer.targets : []).map((record) => this.#written(record)),
      authorities: records.length > 0 ? [] : [startOfAuthority(this.#zone)],
    };
    return { packet, bytesMax };
  }

  #turned<Item>(items: readonly Item[]): readonly Item[] {
    const from = items.length === 0 ? 0 : this.#turn++ % items.length;
    return [...items.slice(from), ...items.slice(0, from)];
  }

  #written(record: DnsRecord): NonNullable<Packet["answers"]>[number] {
    const { name } = record;
    const ttl = this.#ttlS;
    if (record.type === "SRV") {
      return { type: "SRV", name, ttl, data: { port: record.port, target: record.target, priority: 10, weight: 10 } };
    }
    return { type: record.type, name, ttl, data: record.address };
  }
}

function startOfAuthority(zone: string): NonNullable<Packet["authorities"]>[number] {
  const times = { serial: 1, refresh: 60, retry: 60, expire: 60, minimum: NEGATIVE_TTL_S };
  return {
    type: "SOA",
    name: zone,
    ttl: NEGATIVE_TTL_S,
    data: { mname: `ns.${zone}`, rname: `root.${zone}`, ...times },
  };
}

function readPacket(message: Uint8Array): (Packet & { readonly opcode?: string }) | null {
  if (message.length > QUERY_BYTES_MAX) return null;
  try {
    return decode(Buffer.from(message));
  } catch (error) {
    // Its parser says so of whatever is none, in errors of several kinds.
    if (error instanceof Error) return null;
    throw error;
  }
}
