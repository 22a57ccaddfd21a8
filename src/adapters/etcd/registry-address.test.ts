import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationError } from "../../ports/operation-error.ts";
import { parseRegistryAddress } from "./registry-address.ts";

const understood: readonly [text: string, targets: readonly string[], secure: boolean][] = [
  ["etcd://h1:2379,h2:2380", ["dns:h1:2379", "dns:h2:2380"], false],
  ["etcd://10.0.0.1", ["dns:10.0.0.1:2379"], false],
  ["etcd://[::1]:2379/", ["dns:[::1]:2379"], false],
  ["etcds://etcd.example.com:443", ["dns:etcd.example.com:443"], true],
  ["unix:/run/fleet/registry.sock", ["unix:/run/fleet/registry.sock"], false],
  ["unix:///run/fleet/registry.sock", ["unix:/run/fleet/registry.sock"], false],
];
for (const [text, targets, secure] of understood) {
  test(`${text} is understood`, () => assert.deepEqual(parseRegistryAddress(text), { targets, secure, text }));
}

const refused: readonly [text: string, why: RegExp][] = [
  ["", /no kind of registry/],
  ["http://h1:2379", /no kind of registry/],
  ["etcd://", /"" is not host:port/],
  ["etcd://h1:2379,", /"" is not host:port/],
  ["etcd://user:secret@h1:2379", /is not host:port/],
  ["etcd://h1:0", /0 is not a port/],
  ["etcd://h1:70000", /70000 is not a port/],
  ["unix:registry.sock", /not absolute/],
  [`etcd://${"h,".repeat(16)}h`, /more than 16/],
];
for (const [text, why] of refused) {
  test(`"${text.slice(0, 40)}" is refused with the forms there are`, () => {
    assert.throws(
      () => parseRegistryAddress(text),
      (error) => error instanceof OperationError && why.test(error.message) && /unix:\/path/.test(error.next ?? ""),
    );
  });
}

test("a password somebody put into the address is not repeated", () => {
  assert.throws(
    () => parseRegistryAddress("etcd://user:secret@h1:2379,root:hidden@h2"),
    (error) => error instanceof OperationError && !/secret|hidden/.test(error.message),
  );
});
