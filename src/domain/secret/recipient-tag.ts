import type { NodeKey } from "../identity/node-key.ts";

/** How a secret's file names a machine's key: six characters by its hash, as age writes them. An argument, because it hashes bytes. */
export type RecipientTag = (key: NodeKey) => string;
