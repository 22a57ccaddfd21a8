import assert from "node:assert/strict";
import { test } from "node:test";
import { OBJECTS_METHODS, PIECE_KINDS } from "./objects-proto.ts";

test("messages come out of the wire as they went in, fields that were not sent as nothing", () => {
  const { Tip, Objects } = OBJECTS_METHODS;
  assert.deepEqual(Tip.requestDeserialize(Tip.requestSerialize({ holding: "ab" })), { holding: "ab" });
  assert.deepEqual(Tip.requestDeserialize(Buffer.alloc(0)), { holding: "" });
  const id = Buffer.alloc(20, 7);
  const request = { ids: [id], maxBytes: 65_536, history: 3, have: [id, id], roots: true };
  assert.deepEqual(Objects.requestDeserialize(Objects.requestSerialize(request)), request);
  assert.deepEqual(Objects.requestDeserialize(Buffer.alloc(0)), {
    ids: [],
    maxBytes: 0,
    history: 0,
    have: [],
    roots: false,
  });
  const part = {
    pieces: [{ id, kind: PIECE_KINDS.blob, size: 9, offset: 4, content: Buffer.from("hello"), base: id }],
  };
  assert.deepEqual(Objects.responseDeserialize(Objects.responseSerialize(part)), part);
});

test("what is no message is refused, not guessed at", () => {
  assert.throws(() => OBJECTS_METHODS.Objects.responseDeserialize(Buffer.from([0x0a, 0xff, 0x01])));
});
