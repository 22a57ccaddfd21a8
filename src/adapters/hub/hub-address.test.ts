import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationError } from "../../ports/operation-error.ts";
import { endpointText, parseHubAddress } from "./hub-address.ts";

const understood: readonly [text: string, engines: readonly string[]][] = [
  ["hub://nas.lan", ["nas.lan:7440"]],
  ["hub://nas.lan/", ["nas.lan:7440"]],
  ["hub://h1:7441,h2", ["h1:7441", "h2:7440"]],
  ["hub://h1, h2", ["h1:7440", "h2:7440"]],
  ["hub://10.0.0.1", ["10.0.0.1:7440"]],
  ["hub://[fd00::1]", ["[fd00::1]:7440"]],
  ["hub://[FD00::1]:1,nas", ["[fd00::1]:1", "nas:7440"]],
  ["hub://NAS,nas:7440", ["nas:7440"]],
  [
    `hub://${Array.from({ length: 16 }, (_, at) => `h${at}`).join(",")}`,
    Array.from({ length: 16 }, (_, at) => `h${at}:7440`),
  ],
];
for (const [text, engines] of understood) {
  test(`${text.slice(0, 40)} is understood`, () => {
    assert.deepEqual(parseHubAddress(text).engines.map(endpointText), engines);
    assert.equal(parseHubAddress(text).text, text);
  });
}

const refused: readonly [text: string, why: RegExp][] = [
  ["etcd://h1", /does not begin with hub/],
  ["hub:h1", /does not begin with hub/],
  ["hub://", /"" is not host:port/],
  ["hub://h1,", /"" is not host:port/],
  ["hub://h1:0", /0 is not a port/],
  ["hub://h1:65536", /65536 is not a port/],
  ["hub://fd00::1", /is not host:port/],
  ["hub://h1/path", /is not host:port/],
  ["hub://user:secret@h1", /is not host:port/],
  [`hub://${"h,".repeat(16)}h`, /more than 16/],
];
for (const [text, why] of refused) {
  test(`"${text.slice(0, 40)}" is refused with the forms there are`, () => {
    assert.throws(
      () => parseHubAddress(text),
      (error) => error instanceof OperationError && why.test(error.message) && /hub:\/\/host/.test(error.next ?? ""),
    );
  });
}

test("a password somebody put into the address is not repeated", () => {
  assert.throws(
    () => parseHubAddress("hub://user:secret@h1"),
    (error) => error instanceof OperationError && !/secret/.test(error.message),
  );
});
