import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../../src/domain/names.ts";
import type { CheckRunner } from "../../src/ports/health-probe.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import { looking, type UnitWorld, until } from "./unit-world.ts";

const WEB = "ct-web.service" as UnitName;

/** Health checks' programs, run by a systemd as the user of the service they ask about. */
export function transientCheckContract(
  make: () => Promise<UnitWorld>,
  runner: () => CheckRunner,
  skip: string | false = false,
): void {
  const it = (sentence: string, run: (world: UnitWorld, check: (script: string) => Promise<string>) => Promise<void>) =>
    test(`transient check: ${sentence}`, { skip, timeout: 60_000 }, async () => {
      const [world, runs] = [await make(), runner()];
      try {
        await run(world, (script) => runs.run(WEB, ["/bin/sh", "-c", script, "$HOME", "a b"], 1_000));
      } finally {
        runs.close();
        await world.close();
      }
    });
  const start = async (world: UnitWorld, lines: string) => {
    await world.write(WEB, `[Service]\nExecStart=/bin/sleep 86400\n${lines}\n`);
    assert.equal(await world.manager.start(WEB), "done");
    await looking(world).becomes(WEB, "loaded active running");
  };

  it("it exits with 0, or it does not, or not in time", async (world, check) => {
    await start(world, "");
    assert.deepEqual(await Promise.all(["exit 0", "exit 3", "sleep 60"].map(check)), ["passed", "failed", "timeout"]);
    await until(async () => !(await world.runs("sleep 60")), "what was not in time to be gone");
  });

  it("it is root where the service is, and nobody else", async (world, check) => {
    await start(world, "");
    assert.equal(await check('test "$(id -u)" = 0'), "passed");
  });

  it("it runs as the service's user and groups", async (world, check) => {
    await start(world, "User=daemon\nGroup=games\nSupplementaryGroups=mail");
    assert.equal(await check('test "$(id -un):$(id -gn)" = daemon:games && id -Gn | grep -qw mail'), "passed");
    assert.equal(await check('test "$(id -u)" = 0'), "failed");
  });

  it("it shares the user that a service has only for as long as it runs", async (world, check) => {
    await start(world, "DynamicUser=yes");
    assert.equal(
      await check(
        `test "$(id -u)" -ge 61184 && test "$(id -u)" = "$(stat -c %u /proc/$(pgrep -xf '/bin/sleep 86400'))"`,
      ),
      "passed",
    );
  });

  it("its words are as they are written: no shell, no variables", async (world, check) => {
    await start(world, "");
    assert.equal(await check(`test "$0" = '$HOME' && test "$1" = 'a b'`), "passed");
  });

  it("it can write nothing and gains nothing", async (world, check) => {
    await start(world, "");
    assert.equal(await check("touch /etc/ct-mark"), "failed");
    assert.equal(await check("grep -q 'NoNewPrivs:.1' /proc/self/status"), "passed");
  });

  it("of a service that systemd does not hold nobody is asked", async (_, check) => {
    await assert.rejects(
      check("exit 0"),
      (error) => error instanceof OperationError && error.code === "unit-not-found",
    );
  });

  it("it wakes nobody who watches units", async (world, check) => {
    await start(world, "");
    const end = new AbortController();
    let news = 0;
    await check("exit 0");
    world.manager.onChange(() => news++, end.signal);
    const before = news;
    await check("exit 1");
    await check("exit 0");
    // Whatever came before this answer has been heard of by now.
    await world.manager.list([WEB]);
    assert.equal(news, before);
    end.abort(null);
  });
}
