/** What `fleet join` is given. */
export type JoinTarget =
  /** Engines to dial, as `hub://` takes them. */
  | { readonly kind: "engines"; readonly address: string }
  /** A repository to follow. `ssh`: in either of git's spellings. */
  | { readonly kind: "source"; readonly url: string; readonly ssh: boolean };

/** Host and port, IPv6 in brackets; then more of them. A path of one word is none of these only with a slash in front or behind. */
const ENGINES = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?(,(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?)*$/;
/** git's short form, user@host:path: a colon before any slash. */
const SCP = /^[^/\s]+:/;

/** A host name is an engine, whatever folder of that name there is; git's URLs, its short form for ssh, and paths with a slash are repositories. */
export function readJoinTarget(text: string): JoinTarget {
  if (text.startsWith("hub://")) return { kind: "engines", address: text };
  if (ENGINES.test(text) && !/^\.+$/.test(text)) return { kind: "engines", address: `hub://${text}` };
  const ssh = /^(ssh|git\+ssh):\/\//i.test(text) || (!text.includes("://") && SCP.test(text));
  return { kind: "source", url: text, ssh };
}
