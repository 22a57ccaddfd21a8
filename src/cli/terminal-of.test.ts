import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { terminalOf } from "./terminal-of.ts";

const stream = (isTTY: boolean, columns = 100) => ({ isTTY, columns }) as unknown as NodeJS.WriteStream;

describe("what may be done on a stream", () => {
  const { NO_COLOR, TERM } = process.env;
  beforeEach(() => {
    delete process.env.NO_COLOR;
    process.env.TERM = "xterm";
  });
  afterEach(() => {
    for (const [name, value] of Object.entries({ NO_COLOR, TERM })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  test("a pipe is no terminal", () => assert.equal(terminalOf(stream(false), false), null));

  test("a terminal has colour and its width", () =>
    assert.deepEqual(terminalOf(stream(true), false), { columns: 100, colour: true }));

  test("one that does not know its width is not taken for one of no width", () =>
    assert.equal(terminalOf(stream(true, 0), false)?.columns, 80));

  test("no colour with --no-color, with NO_COLOR, on a dumb one", () => {
    assert.equal(terminalOf(stream(true), true)?.colour, false);
    process.env.TERM = "dumb";
    assert.equal(terminalOf(stream(true), false)?.colour, false);
    process.env.TERM = "xterm";
    process.env.NO_COLOR = "1";
    assert.equal(terminalOf(stream(true), false)?.colour, false);
  });
});
