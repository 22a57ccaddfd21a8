import { forgetGreeting, httpConversation, type TalkLimits } from "./http-conversation.ts";
import { type IndexedPack, indexPack, type PackLimits } from "./index-pack.ts";
import { readCredentials } from "./read-credentials.ts";
import type { RemoteAccess, SshAccess } from "./remote-access.ts";
import { parseRemoteAddress } from "./remote-address.ts";
import { sshConversation } from "./ssh-conversation.ts";
import {
  askPack,
  askRefs,
  type Conversation,
  type PackAnswer,
  type PackRequest,
  type RemoteRef,
} from "./upload-pack.ts";

/** One remote as whoever talks to it needs it: what is secret in here has been read from its file. */
export interface Remote {
  readonly address: string;
  /** `user:password`; null: none, or those in the address. */
  readonly credentials: string | null;
  readonly ssh: SshAccess;
}

export type FetchedPack = PackAnswer & Pick<IndexedPack, "name" | "index">;

/** What goes over the network, and the first look at it: in this process, or in one that has nothing else. */
export interface Fetcher {
  refs(remote: Remote, prefix: string, limits: TalkLimits): Promise<readonly RemoteRef[]>;
  /** A pack whose every object has been inflated, hashed and checked. Null: there is no such ref. */
  pack(remote: Remote, request: PackRequest, limits: TalkLimits & PackLimits): Promise<FetchedPack | null>;
  close(): void;
}

/** In this process. */
export const localFetcher: Fetcher = {
  refs: (remote, prefix, limits) => talkTo(remote, limits, (talk) => askRefs(talk, prefix)),
  async pack(remote, request, limits) {
    const answer = await talkTo(remote, limits, (talk) => askPack(talk, request));
    return answer === null ? null : { ...answer, ...indexPack(answer.pack, limits) };
  },
  close: () => undefined,
};

async function talkTo<T>(remote: Remote, limits: TalkLimits, ask: (talk: Conversation) => Promise<T>): Promise<T> {
  const address = parseRemoteAddress(remote.address);
  const talk =
    address.kind === "ssh"
      ? sshConversation(address, remote.ssh, limits)
      : httpConversation(address.url, address.credentials ?? remote.credentials, limits);
  try {
    return await ask(talk);
  } catch (error) {
    if (address.kind === "http") forgetGreeting(address.url);
    throw error;
  } finally {
    talk.close();
  }
}

/** Read anew for each talk: whoever renews a token writes the file and does no more. */
export function remoteOf(address: string, access: RemoteAccess): Remote {
  const parsed = parseRemoteAddress(address);
  const file = access.credentialsFile;
  const credentials = parsed.kind === "http" && file !== undefined ? readCredentials(file, parsed.url) : null;
  return { address, credentials, ssh: access.ssh ?? { kind: "personal" } };
}
