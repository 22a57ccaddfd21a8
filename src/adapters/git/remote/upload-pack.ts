import { OperationError } from "../../../ports/operation-error.ts";
import { invalidAnswer } from "./invalid-answer.ts";
import { DELIMITER, FLUSH, lineOf, type PacketReader, packet } from "./packet-reader.ts";

/** One talk with a git server, over whichever way leads there. */
export interface Conversation {
  /** What the server says before it is asked. */
  greeting(): Promise<PacketReader>;
  /** One request, and what comes back. */
  ask(request: Buffer): Promise<PacketReader>;
  close(): void;
}

export interface RemoteRef {
  readonly name: string;
  readonly oid: string;
  /** Of an annotated tag: what it tags. */
  readonly peeled: string | null;
}

export interface PackRequest {
  /** Full name. */
  readonly ref: string;
  /** Commits that are here with all that belongs to them. */
  readonly have: readonly string[];
  /** Where the history that is here ends. */
  readonly shallow: readonly string[];
  /** Commits of history wanted; null: whatever is new. */
  readonly depth: number | null;
}

export interface PackAnswer {
  readonly tip: string;
  /** The history that is here once the pack is ends there, too. */
  readonly shallow: readonly string[];
  /** And no longer there. */
  readonly unshallow: readonly string[];
  readonly pack: Buffer;
}

/** How the server speaks. `refs`: what version 0 says before it is asked. */
type Greeting =
  | { readonly version: 2 }
  | { readonly version: 0; readonly refs: readonly RemoteRef[]; readonly abilities: ReadonlySet<string> };

const AGENT = "agent=fleet";
/** Names of refs a server may tell us; a repository of a large forge has 100,000 of pull requests, which are not asked for. */
const REFS_MAX = 200_000;
const SIDE_BAND = { pack: 1, progress: 2, error: 3 } as const;

/** The refs whose full name starts so. gitprotocol-v2(5), and gitprotocol-pack(5) for servers that know no better. */
export async function askRefs(talk: Conversation, prefix: string): Promise<readonly RemoteRef[]> {
  return refsOf(talk, await greet(talk), prefix);
}

/** What that ref needs that is not here, as one pack that stands for itself. Null: there is no such ref. */
export async function askPack(talk: Conversation, request: PackRequest): Promise<PackAnswer | null> {
  const greeting = await greet(talk);
  const tip = (await refsOf(talk, greeting, request.ref)).find(({ name }) => name === request.ref)?.oid;
  if (tip === undefined) return null;
  const answer =
    greeting.version === 2
      ? await talk.ask(fetchRequest(tip, request))
      : await talk.ask(oldFetchRequest(tip, request, greeting.abilities));
  const ends =
    greeting.version === 2 ? await readSections(answer) : await readOldPreamble(answer, request.depth !== null);
  return { tip, shallow: ends.shallow, unshallow: ends.unshallow, pack: await readPack(answer, ends.first) };
}

async function greet(talk: Conversation): Promise<Greeting> {
  const reader = await talk.greeting();
  let first = await reader.next();
  if (first?.kind === "data" && lineOf(first.data) === "# service=git-upload-pack") {
    await reader.next();
    first = await reader.next();
  }
  if (first === null) throw invalidAnswer("it said nothing");
  // An empty repository of an old server is a flush and nothing else.
  if (first.kind !== "data") return { version: 0, refs: [], abilities: new Set() };
  const line = lineOf(first.data);
  if (line.startsWith("ERR ")) throw invalidAnswer(safe(line.slice(4)));
  const rest = await reader.lines();
  if (line === "version 2") {
    checkFormat(rest.find((each) => each.startsWith("object-format="))?.slice("object-format=".length));
    return { version: 2 };
  }
  const lines = line === "version 1" ? rest : [line, ...rest];
  const [head, abilities = ""] = (lines[0] ?? "").split("\0");
  const able = new Set(abilities.split(" ").filter((each) => each !== ""));
  checkFormat([...able].find((each) => each.startsWith("object-format="))?.slice("object-format=".length));
  return { version: 0, refs: readOldRefs([head!, ...lines.slice(1)]), abilities: able };
}

function checkFormat(format: string | undefined): void {
  if (format === undefined || format === "sha1") return;
  throw new OperationError("repository-format-unsupported", "the source names objects otherwise than by SHA-1", {
    next: "use a repository with SHA-1 object ids (git's default)",
  });
}

async function refsOf(talk: Conversation, greeting: Greeting, prefix: string): Promise<readonly RemoteRef[]> {
  if (greeting.version === 0) return greeting.refs.filter(({ name }) => name.startsWith(prefix));
  const lines = [packet("command=ls-refs"), packet(AGENT), DELIMITER, packet("peel"), packet(`ref-prefix ${prefix}`)];
  const answer = await talk.ask(Buffer.concat([...lines, FLUSH]));
  const refs: RemoteRef[] = [];
  for (const line of await answer.lines()) {
    if (line.startsWith("ERR ")) throw invalidAnswer(safe(line.slice(4)));
    const read = /^([0-9a-f]{40}) (\S+)(?: .*?peeled:([0-9a-f]{40}))?/.exec(line);
    if (read !== null && refs.push({ name: read[2]!, oid: read[1]!, peeled: read[3] ?? null }) > REFS_MAX)
      throw invalidAnswer(`it has more than ${REFS_MAX} refs`);
  }
  return refs;
}

/** A peeled tag follows its tag as `name^{}`. */
function readOldRefs(lines: readonly string[]): readonly RemoteRef[] {
  const refs = new Map<string, RemoteRef>();
  if (lines.length > REFS_MAX) throw invalidAnswer(`it has more than ${REFS_MAX} refs`);
  for (const line of lines) {
    const [, oid, name] = /^([0-9a-f]{40}) (\S+)$/.exec(line) ?? [];
    if (oid === undefined || name === undefined || name === "capabilities^{}") continue;
    const tag = name.endsWith("^{}") ? refs.get(name.slice(0, -3)) : undefined;
    if (tag !== undefined) refs.set(tag.name, { ...tag, peeled: oid });
    else refs.set(name, { name, oid, peeled: null });
  }
  return [...refs.values()];
}

function fetchRequest(tip: string, { have, shallow, depth }: PackRequest): Buffer {
  return Buffer.concat([
    packet("command=fetch"),
    packet(AGENT),
    DELIMITER,
    packet("ofs-delta"),
    packet("no-progress"),
    packet(`want ${tip}`),
    ...shallow.map((oid) => packet(`shallow ${oid}`)),
    ...(depth === null ? [] : [packet(`deepen ${depth}`)]),
    ...have.map((oid) => packet(`have ${oid}`)),
    packet("done"),
    FLUSH,
  ]);
}

function oldFetchRequest(tip: string, request: PackRequest, abilities: ReadonlySet<string>): Buffer {
  const { have, shallow, depth } = request;
  if (!abilities.has("side-band-64k") || (depth !== null && !abilities.has("shallow")))
    throw invalidAnswer("it is older than git 1.6 (no side-band-64k, no shallow)");
  const asked = ["side-band-64k", "ofs-delta", "no-progress"].filter((each) => abilities.has(each));
  return Buffer.concat([
    packet(`want ${tip} ${[...asked, AGENT].join(" ")}`),
    ...shallow.map((oid) => packet(`shallow ${oid}`)),
    ...(depth === null ? [] : [packet(`deepen ${depth}`)]),
    FLUSH,
    ...have.map((oid) => packet(`have ${oid}`)),
    packet("done"),
  ]);
}

interface Ends {
  readonly shallow: readonly string[];
  readonly unshallow: readonly string[];
  /** The pack's first packet, where it was read already. */
  readonly first: Buffer | null;
}

async function readSections(answer: PacketReader): Promise<Ends> {
  let ends = { shallow: [] as string[], unshallow: [] as string[] };
  for (;;) {
    const read = await answer.next();
    if (read?.kind !== "data") throw invalidAnswer("it sent no pack");
    const section = lineOf(read.data);
    if (section === "packfile") return { ...ends, first: null };
    if (section.startsWith("ERR ")) throw invalidAnswer(safe(section.slice(4)));
    const lines = await answer.lines();
    if (section === "shallow-info") ends = endsOf(lines);
  }
}

/** With a depth the ends of history come first; then one line about what both sides have. */
async function readOldPreamble(answer: PacketReader, hasDepth: boolean): Promise<Ends> {
  const ends = hasDepth ? endsOf(await answer.lines()) : { shallow: [], unshallow: [] };
  for (;;) {
    const read = await answer.next();
    if (read?.kind !== "data") throw invalidAnswer("it sent no pack");
    const line = lineOf(read.data);
    if (line.startsWith("ERR ")) throw invalidAnswer(safe(line.slice(4)));
    if (!/^(NAK|ACK [0-9a-f]{40}.*)$/.test(line)) return { ...ends, first: read.data };
  }
}

function endsOf(lines: readonly string[]): { shallow: string[]; unshallow: string[] } {
  const named = (word: string) =>
    lines.flatMap((line) => (new RegExp(`^${word} [0-9a-f]{40}$`).test(line) ? [line.slice(-40)] : []));
  return { shallow: named("shallow"), unshallow: named("unshallow") };
}

async function readPack(answer: PacketReader, first: Buffer | null): Promise<Buffer> {
  const parts: Buffer[] = [];
  const take = (data: Buffer) => {
    if (data[0] === SIDE_BAND.pack) parts.push(data.subarray(1));
    else if (data[0] === SIDE_BAND.error) throw invalidAnswer(safe(data.subarray(1).toString("utf8")));
    else if (data[0] !== SIDE_BAND.progress) throw invalidAnswer("it sent a band that nobody asked for");
  };
  if (first !== null) take(first);
  for (let read = await answer.next(); ; read = await answer.next()) {
    if (read === null) throw invalidAnswer("its pack is cut short");
    if (read.kind !== "data") return Buffer.concat(parts);
    take(read.data);
  }
}

/** A stranger's words on a person's terminal: one short line of plain characters. */
function safe(text: string): string {
  return text
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(0, 200);
}
