import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { WaitingRoom } from "./waiting-room.ts";

const HOUR = 3_600_000;
const patient = { yieldsAfterMs: HOUR, timeoutMs: HOUR };
const impatient = { yieldsAfterMs: 0, timeoutMs: HOUR };

let ports = 1024;

/** As much of a socket as a waiting room looks at. */
function connection(remoteAddress: string | undefined): Socket {
  const socket = new EventEmitter() as Socket;
  Object.assign(socket, {
    ...{ remoteAddress, remotePort: ports++, destroyed: false },
    destroy() {
      if (socket.destroyed) return;
      Object.assign(socket, { destroyed: true });
      socket.emit("close");
    },
  });
  return socket;
}

/** Which of those who come are in the end neither turned away nor cut. */
function survivors(room: WaitingRoom, addresses: readonly (string | undefined)[]): readonly number[] {
  const sockets = addresses.map(connection);
  for (const socket of sockets) assert.equal(room.admit(socket), !socket.destroyed);
  const left = sockets.flatMap((socket, index) => (socket.destroyed ? [] : [index]));
  assert.equal(room.size, left.length, "it counts those that are there");
  room.clear();
  assert.equal(room.size, 0);
  return left;
}

const cases: readonly (readonly [
  what: string,
  limits: object,
  addresses: readonly string[],
  left: readonly number[],
])[] = [
  ["room for all", { ...patient, total: 3, perAddress: 3 }, ["a", "a", "b"], [0, 1, 2]],
  ["too many in all: newcomers go", { ...patient, total: 2, perAddress: 2 }, ["a", "b", "c"], [0, 1]],
  ["too many of one address: its own newcomers go", { ...patient, total: 9, perAddress: 1 }, ["a", "a", "b"], [0, 2]],
  ["too many, and the oldest is slow: it goes", { ...impatient, total: 2, perAddress: 2 }, ["a", "b", "c"], [1, 2]],
  [
    "too many slow ones of one address: its oldest goes",
    { ...impatient, total: 9, perAddress: 1 },
    ["b", "a", "a"],
    [0, 2],
  ],
  [
    "one network of IPv6 is one origin",
    { ...patient, total: 9, perAddress: 1 },
    ["2001:db8::1", "2001:db8:0:0:ffff::2", "2001:db8:0:1::1", "2001:db8:0:2:3:4:5:6", "1::2:3:4:5:6:7", "1:0:2:3::9"],
    [0, 2, 3, 4],
  ],
  [
    "an IPv4 address is one, however it is written",
    { ...patient, total: 9, perAddress: 1 },
    ["10.0.0.1", "::ffff:10.0.0.1", "::ffff:10.0.0.2", "::1"],
    [0, 2, 3],
  ],
];

for (const [what, limits, addresses, left] of cases) {
  test(what, () => {
    assert.deepEqual(
      survivors(new WaitingRoom(limits as ConstructorParameters<typeof WaitingRoom>[0]), addresses),
      left,
    );
  });
}

test("one that is gone before it is looked at takes no place", () => {
  assert.deepEqual(survivors(new WaitingRoom({ ...patient, total: 1, perAddress: 1 }), [undefined, "a"]), [1]);
});

test("who is known leaves the room to others", () => {
  const room = new WaitingRoom({ ...patient, total: 1, perAddress: 1 });
  const first = connection("a");
  room.admit(first);
  room.leave(first);
  assert.equal(room.admit(connection("a")), true);
  assert.equal(first.destroyed, false);
  room.clear();
});
