import type { PeerRefusal } from "../../domain/identity/judge-peer.ts";
import { OperationError } from "../../ports/operation-error.ts";

type Words = (engine: string) => readonly [message: string, next: string];

const ADDRESS = "check the address: an engine answers where its --listen says";
const CLOCKS = "set the clocks of both machines: timedatectl set-ntp true";
const CLUSTERS = "check the address; a machine changes its cluster by fleet leave and fleet join";

/** What we say of an engine whose certificate we do not take. */
const THEIRS: Readonly<Record<PeerRefusal, Words>> = {
  "no-certificate": (engine) => [`${engine} shows no certificate`, ADDRESS],
  malformed: (engine) => [`${engine} shows a certificate that is none of fleet's`, ADDRESS],
  "other-cluster": (engine) => [`${engine} is of another cluster`, CLUSTERS],
  "wrong-role": (engine) => [`${engine} shows an agent's certificate`, ADDRESS],
  "not-yet-valid": (engine) => [`the certificate of ${engine} begins later than now, by this machine's clock`, CLOCKS],
  expired: (engine) => [`the certificate of ${engine} has ended, by this machine's clock`, CLOCKS],
  "wrong-key": (engine) => [
    `${engine} shows another key than is listed for its machine`,
    "compare it with engineKey in the manifest: if nobody replaced it, somebody else answers there",
  ],
  "unlisted-key": (engine) => [
    `${engine} shows a key that is listed for no engine`,
    "commit it as engineKey of its machine, if it is yours",
  ],
};

/** What we say where an engine does not take ours. */
const OURS: Readonly<Record<PeerRefusal, Words>> = {
  "no-certificate": (engine) => [`${engine} saw no certificate of this machine`, "look what stands between the two"],
  malformed: (engine) => [`${engine} cannot read this machine's certificate`, "install one version of fleet on both"],
  "other-cluster": (engine) => [`${engine} is of another cluster than this machine`, CLUSTERS],
  "wrong-role": (engine) => [`${engine} serves agents, and this is none`, ADDRESS],
  "not-yet-valid": (engine) => [`this machine's certificate begins later than now, by the clock of ${engine}`, CLOCKS],
  expired: (engine) => [`this machine's certificate has ended, by the clock of ${engine}`, CLOCKS],
  "wrong-key": (engine) => [
    `${engine} knows this machine with another key`,
    "if its key was made anew, commit the stanza that fleet join prints; else another machine has its id",
  ],
  "unlisted-key": (engine) => [
    `${engine} does not know this machine's key`,
    "commit the stanza that fleet join prints, and apply",
  ],
};

/** We do not take that engine. The error's code is the refusal's. `engine`: as in "the engine at nas.lan:7440". */
export function refusedByUs(code: PeerRefusal, engine: string): OperationError {
  const [message, next] = THEIRS[code](engine);
  return new OperationError(code, message, { next });
}

/** It does not take us. The error's code is the refusal's after `refused-`, so that the two sides' faults are told apart. */
export function refusedByThem(code: PeerRefusal, engine: string): OperationError {
  const [message, next] = OURS[code](engine);
  return new OperationError(`refused-${code}`, message, { next });
}
