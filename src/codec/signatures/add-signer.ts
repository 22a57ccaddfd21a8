import { readAllowedSigners } from "./allowed-signers.ts";
import { readSshKeyText } from "./ssh-public-key.ts";

/** The file with a line for that key behind what is there; the same text where a line has the key already; null: that is no key. */
export function addSigner(text: string, principal: string, publicKey: string): string | null {
  const [algorithm = "", base64 = ""] = publicKey.trim().split(/\s+/);
  const key = readSshKeyText(algorithm, base64);
  if (typeof key === "string") return null;
  const { signers } = readAllowedSigners("", Buffer.from(text));
  if (signers.some((signer) => signer.key === key.id.text)) return text;
  const name = /[\s"]/.test(principal) ? `"${principal.replaceAll('"', "")}"` : principal;
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${name} namespaces="git" ${key.id.text}\n`;
}
