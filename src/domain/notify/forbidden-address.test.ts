import assert from "node:assert/strict";
import { test } from "node:test";
import { isForbiddenAddress } from "./forbidden-address.ts";

test("a commit sends an engine to no address that only its own machine or its cloud answers", () => {
  const forbidden = [
    ...["127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255"],
    ...[
      "::1",
      "::",
      "::ffff:127.0.0.1",
      "::127.0.0.1",
      "::ffff:7f00:1",
      "fe80::1",
      "fe80::1%eth0",
      "ff02::1",
      "FE80::1",
    ],
    ...["0:0:0:0:0:0:0:1", "64:ff9b::7f00:1", "", "localhost", "1.2.3", "1.2.3.400"],
    // Site-local, long withdrawn, and still routed by some.
    "fec0::1",
  ];
  const allowed = [
    "93.184.216.34",
    "10.0.0.5",
    "192.168.1.2",
    "172.16.0.1",
    "2001:db8::1",
    "fd00::5",
    "::ffff:10.0.0.5",
  ];
  assert.deepEqual(
    forbidden.filter((address) => !isForbiddenAddress(address)),
    [],
  );
  assert.deepEqual(allowed.filter(isForbiddenAddress), []);
});
