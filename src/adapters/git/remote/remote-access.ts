/** What opens the door of a remote; files are on this machine, and what is in them is in no message. */
export interface RemoteAccess {
  /** For http(s), as git's credential store has it: `https://user:password@host`, a line for each host. Nobody else is told. */
  readonly credentialsFile?: string;
  readonly ssh?: SshAccess;
}

/** `pinned`: this key, these hosts, and nothing of whoever runs it. `personal`: as that person's own ssh does it. */
export type SshAccess =
  | { readonly kind: "pinned"; readonly keyFile: string; readonly knownHostsFile: string }
  | { readonly kind: "personal" };
