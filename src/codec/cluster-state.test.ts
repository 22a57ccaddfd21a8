import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../adapters/sha256.ts";
import type { NodeKey } from "../domain/identity/node-key.ts";
import { type ClusterState, decodeState, encodeState, type StateSigner } from "./cluster-state.ts";

const STATE: ClusterState = {
  ...{ cluster: "shop", revision: 7, at: "2026-01-01T00:00:00.000Z" },
  entries: [{ key: "/fleet/shop/cluster", value: '{"v":1,"name":"shop ☂"}', mod: 3 }],
};
const KEY = `ed25519:${"A".repeat(43)}` as NodeKey;
/** Stands for a signature: nobody else makes these bytes of those. */
const signer: StateSigner = { key: KEY, sign: (bytes) => Buffer.from(sha256(Buffer.from(bytes).toString("utf8"))) };

test("what is written is read back, with who signed it and what", () => {
  assert.deepEqual(decodeState(encodeState(STATE, sha256), sha256), { kind: "state", state: STATE, seal: null });
  const decoded = decodeState(encodeState(STATE, sha256, signer), sha256);
  assert.ok(decoded.kind === "state" && decoded.seal !== null);
  assert.deepEqual([decoded.state, decoded.seal.key], [STATE, KEY]);
  assert.deepEqual(decoded.seal.signature, signer.sign(decoded.seal.bytes));
  assert.match(Buffer.from(decoded.seal.bytes).toString("utf8"), /^fleet cluster state\n[0-9a-f]{64}\n$/);
});

test("no character of a signed one can be another, or missing: it is not taken, or its signature is of other bytes", () => {
  const text = encodeState(STATE, sha256, signer);
  for (let at = 0; at < text.length; at++) {
    for (const instead of ["", text[at] === "1" ? "2" : "1"]) {
      const decoded = decodeState(text.slice(0, at) + instead + text.slice(at + 1), sha256);
      if (decoded.kind !== "state") continue;
      const { seal } = decoded;
      const isGenuine = seal?.key === KEY && Buffer.compare(seal.signature, signer.sign(seal.bytes)) === 0;
      assert.ok(!isGenuine || isSame(decoded.state), `character ${at}`);
    }
  }
});

function isSame(state: ClusterState): boolean {
  return encodeState(state, sha256) === encodeState(STATE, sha256);
}

test("one without a signature is as it always was, so that older readers take both", () => {
  const [plain, signed] = [encodeState(STATE, sha256), encodeState(STATE, sha256, signer)].map((text) =>
    text.split("\n"),
  );
  assert.deepEqual(signed!.slice(0, -2), plain!.slice(0, -2));
  const [{ sha256: before }, { sha256: after }] = [JSON.parse(plain!.at(-2)!), JSON.parse(signed!.at(-2)!)];
  assert.equal(after, before);
});
