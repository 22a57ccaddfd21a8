import { serveFetches } from "../adapters/git/remote/serve-fetches.ts";

// An entry point of its own: what talks to the network and takes strangers' packs apart, with nothing else in its memory.
await serveFetches(process.stdin, process.stdout);
