import assert from "node:assert/strict";
import { test } from "node:test";
import { DBusError, Message, MessageType } from "dbus-next";
import { systemdRefusal } from "./systemd-refusal.ts";

const CASES: readonly [string, string, string][] = [
  ["systemd knows no such unit", "org.freedesktop.systemd1.NoSuchUnit", "unit-not-found"],
  ["systemd left before it replied", "org.freedesktop.DBus.Error.NoReply", "systemd-unreachable"],
  ["nobody is systemd on the bus", "org.freedesktop.DBus.Error.NameHasNoOwner", "systemd-unreachable"],
  [
    "the bus tried to start systemd, which is /bin/false",
    "org.freedesktop.DBus.Error.Spawn.ChildExited",
    "systemd-unreachable",
  ],
  ["anything else systemd says", "org.freedesktop.systemd1.Other", "systemd-refused"],
];

for (const [sentence, type, code] of CASES) {
  test(`${sentence}: ${code}, with its words`, () => {
    const reply = new Message({ type: MessageType.ERROR, errorName: type, replySerial: 1 });
    const error = systemdRefusal("starting a.service", new DBusError(type, "its words", reply));
    assert.deepEqual([error.code, error.message], [code, "starting a.service: its words"]);
  });
}
