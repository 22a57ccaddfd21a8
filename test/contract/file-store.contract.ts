import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileStore } from "../../src/ports/file-store.ts";
import { OperationError } from "../../src/ports/operation-error.ts";

export interface FileWorld {
  readonly store: FileStore;
  /** An empty folder to work in. */
  readonly folder: string;
  /** The permission bits of a file. */
  modeOf(path: string): number;
  /** Its owner and group, by their numbers. */
  ownerOf(path: string): string;
  /** Puts a symbolic link to `/dev/null` there. */
  mask(path: string): void;
  close(): Promise<void>;
}

/** What every FileStore does. `make` builds a new world for each test. */
export function fileStoreContract(name: string, make: () => Promise<FileWorld>): void {
  const it = (sentence: string, run: (world: FileWorld) => Promise<void>) =>
    test(`${name}: ${sentence}`, async () => {
      const world = await make();
      try {
        await run(world);
      } finally {
        await world.close();
      }
    });

  it("a file that is not there reads as null, a folder that is not there lists nothing", async ({ store, folder }) => {
    assert.equal(await store.read(`${folder}/none`), null);
    assert.equal(await store.read(`${folder}/no/such/folder`), null);
    assert.deepEqual(await store.list(`${folder}/none`), []);
    await store.write(`${folder}/file`, "x");
    assert.equal(await store.read(`${folder}/file/below`), null);
    assert.deepEqual(await store.list(`${folder}/file`), []);
  });

  for (const durable of [true, false]) {
    it(`reads back what was written, the last of it (durable: ${durable})`, async ({ store, folder }) => {
      const path = `${folder}/a/b/c.json`;
      await store.write(path, "first, and longer", { durable });
      await store.write(path, "zweite – ✓", { durable });
      assert.equal(await store.read(path), "zweite – ✓");
      assert.deepEqual(await store.list(folder), ["a"]);
      assert.deepEqual(await store.list(`${folder}/a/b`), ["c.json"], "no temporary file stays");
    });
  }

  it("what is staged is seen by nobody until it is published, and then whole", async ({ store, folder, modeOf }) => {
    const path = `${folder}/d/file`;
    await store.write(path, "old", { mode: 0o600 });
    await store.stage(path, "first");
    await store.stage(path, "new");
    assert.equal(await store.read(path), "old");
    await store.publish(path);
    assert.equal(await store.read(path), "new");
    assert.equal(modeOf(path), 0o644);
    assert.deepEqual(await store.list(`${folder}/d`), ["file"]);
    await assert.rejects(store.publish(path), OperationError);
  });

  it("what is unstaged is gone, with a folder made for it, and the file is as it was", async ({ store, folder }) => {
    await store.write(`${folder}/file`, "old");
    await store.stage(`${folder}/file`, "new");
    await store.stage(`${folder}/d/file`, "new");
    for (const path of [`${folder}/file`, `${folder}/d/file`, `${folder}/none`]) await store.unstage(path);
    assert.equal(await store.read(`${folder}/file`), "old");
    assert.deepEqual(await store.list(folder), ["file"]);
  });

  it("what is staged as somebody's has that mode, owner and bytes, and is held to them", async (world) => {
    const { store, folder, modeOf, ownerOf } = world;
    const path = `${folder}/d/e/file`;
    const bytes = new Uint8Array([0xff, 0, 10]);
    for (const durable of [true, false]) {
      const as = { mode: 0o640, owner: "12345", group: "12346", durable };
      await store.stage(path, bytes, as);
      assert.equal(await store.holds(path, bytes, as), !durable, "nobody sees what is staged");
      await store.publish(path);
      assert.deepEqual([modeOf(path), ownerOf(path)], [0o640, "12345:12346"]);
      assert.equal(await store.holds(path, bytes, as), true);
      assert.equal(await store.holds(path, new Uint8Array([0xff, 0, 11]), as), false);
      assert.equal(await store.holds(path, "x", as), false);
      for (const other of [{ mode: 0o600 }, { owner: "1" }, { group: "1" }]) {
        assert.equal(await store.holds(path, bytes, { ...as, ...other }), false, JSON.stringify(other));
      }
    }
    await store.write(`${folder}/text`, "ä\n");
    assert.equal(await store.holds(`${folder}/text`, "ä\n", {}), true);
    assert.equal(await store.holds(`${folder}/text`, new TextEncoder().encode("ä\n"), {}), true);
  });

  it("a link, a folder and nothing hold no file", async ({ store, folder, mask }) => {
    mask(`${folder}/link`);
    await store.write(`${folder}/d/file`, "");
    for (const path of ["link", "d", "none", "d/file/below"]) {
      assert.equal(await store.holds(`${folder}/${path}`, "", {}), false, path);
    }
  });

  it("an owner nobody knows is refused before anything is there", async ({ store, folder }) => {
    for (const as of [{ owner: "no-such-account" }, { group: "no-such-account" }]) {
      await assert.rejects(
        () => store.stage(`${folder}/file`, "x", as),
        (error) => error instanceof OperationError && error.code === "account-unknown",
      );
    }
    assert.deepEqual(await store.list(folder), []);
    await store.stage(`${folder}/file`, "x", { owner: "root", group: "root" });
    await store.publish(`${folder}/file`);
  });

  for (const later of ["write", "remove"] as const) {
    it(`a ${later} takes away what was staged before`, async ({ store, folder }) => {
      const path = `${folder}/file`;
      await store.stage(path, "staged");
      await (later === "write" ? store.write(path, "written") : store.remove(path));
      assert.equal(await store.read(path), later === "write" ? "written" : null);
      await assert.rejects(store.publish(path), OperationError);
    });
  }

  it("an empty file is a file", async ({ store, folder }) => {
    await store.write(`${folder}/empty`, "");
    assert.equal(await store.read(`${folder}/empty`), "");
  });

  it("files have the mode asked for, whatever the umask, and 0644 where none was", async ({
    store,
    folder,
    modeOf,
  }) => {
    await store.write(`${folder}/secret`, "x", { mode: 0o600 });
    await store.write(`${folder}/open`, "x");
    await store.write(`${folder}/all`, "x", { mode: 0o777 });
    assert.deepEqual(
      [modeOf(`${folder}/secret`), modeOf(`${folder}/open`), modeOf(`${folder}/all`)],
      [0o600, 0o644, 0o777],
    );
    await store.write(`${folder}/open`, "y", { mode: 0o600 });
    assert.equal(modeOf(`${folder}/open`), 0o600);
  });

  it("lists names sorted, files and folders", async ({ store, folder }) => {
    for (const path of ["b.service", "a.service.d/10.conf", "B", "a.service"])
      await store.write(`${folder}/${path}`, "x");
    assert.deepEqual(await store.list(folder), ["B", "a.service", "a.service.d", "b.service"]);
  });

  it("removing twice is no error, and removes no folder unasked", async ({ store, folder }) => {
    await store.write(`${folder}/d/file`, "x");
    await store.remove(`${folder}/d/file`);
    await store.remove(`${folder}/d/file`);
    await store.remove(`${folder}/never/there`, { prune: true });
    assert.equal(await store.read(`${folder}/d/file`), null);
    assert.deepEqual(await store.list(folder), ["d"]);
  });

  it("prune removes the folder with its last file, not before, and not the one above", async ({ store, folder }) => {
    await store.write(`${folder}/u/a.service.d/10.conf`, "x");
    await store.write(`${folder}/u/a.service.d/20.conf`, "x");
    await store.remove(`${folder}/u/a.service.d/10.conf`, { prune: true });
    assert.deepEqual(await store.list(`${folder}/u/a.service.d`), ["20.conf"]);
    await store.remove(`${folder}/u/a.service.d/20.conf`, { prune: true });
    assert.deepEqual(await store.list(`${folder}/u`), []);
    assert.deepEqual(await store.list(folder), ["u"]);
  });

  it("prune up to a folder removes those that are left empty below it", async ({ store, folder }) => {
    await store.write(`${folder}/u/a/b/c/file`, "x");
    await store.write(`${folder}/u/a/kept`, "x");
    await store.remove(`${folder}/u/a/b/c/file`, { prune: `${folder}/u` });
    assert.deepEqual(await store.list(`${folder}/u/a`), ["kept"]);
    await store.remove(`${folder}/u/a/kept`, { prune: `${folder}/u` });
    assert.deepEqual([await store.list(folder), await store.list(`${folder}/u`)], [["u"], []]);
  });

  it("a moved file is as it was, over what was there, and moving what is gone is no error", async (world) => {
    const { store, folder, modeOf } = world;
    await store.write(`${folder}/from`, "text", { mode: 0o640 });
    await store.write(`${folder}/deep/er/to`, "older");
    for (const _ of [1, 2]) {
      await store.move(`${folder}/from`, `${folder}/deep/er/to`);
      assert.equal(await store.read(`${folder}/deep/er/to`), "text");
      assert.equal(modeOf(`${folder}/deep/er/to`), 0o640);
      assert.deepEqual([await store.list(folder), await store.list(`${folder}/deep/er`)], [["deep"], ["to"]]);
    }
    await assert.rejects(
      () => store.move(`${folder}/deep`, `${folder}/elsewhere`),
      (error) => error instanceof OperationError && error.code === "not-a-file",
    );
  });

  it("a folder in the file's place is refused by path", async ({ store, folder }) => {
    await store.write(`${folder}/d/file`, "x");
    for (const act of [() => store.write(`${folder}/d`, "x"), () => store.read(`${folder}/d`)]) {
      await assert.rejects(act, (error) => {
        assert.ok(error instanceof OperationError);
        assert.equal(error.code, "not-a-file");
        assert.ok(error.message.includes(`${folder}/d`));
        return true;
      });
    }
    assert.equal(await store.read(`${folder}/d/file`), "x");
  });

  it("the same file has the same fingerprint, and another after each way to change it", async (world) => {
    const { store, folder, mask } = world;
    const path = `${folder}/d/a.service`;
    const look = async () => JSON.stringify((await store.fingerprints([path]))[0]);
    const states = [await look()];
    const changes: readonly (() => unknown)[] = [
      () => store.write(path, "one"),
      () => store.write(path, "another"),
      () => store.write(path, "another"),
      () => store.remove(path),
      () => mask(path),
    ];
    for (const change of changes) {
      await change();
      states.push(await look());
      assert.equal(await look(), states.at(-1), "looking changes nothing");
    }
    assert.equal(states[0], "null");
    assert.equal(states[4], "null");
    assert.equal(new Set(states).size, states.length - 1);
    const prints = await store.fingerprints([`${folder}/d`, path, `${folder}/d/none`, `${path}/below`]);
    assert.deepEqual(
      prints.map((print) => print && [print.kind, print.target]),
      [["folder", null], ["link", "/dev/null"], null, null],
    );
  });

  it("a folder's fingerprint changes with its entries", async ({ store, folder }) => {
    const look = async () => JSON.stringify((await store.fingerprints([`${folder}/d`]))[0]);
    await store.write(`${folder}/d/a`, "x");
    const before = await look();
    // Within one tick of a kernel's clock a folder may look the same: whoever relies on it looks again at one that is young.
    for (let more = 0; more < 10_000 && (await look()) === before; more++)
      await store.write(`${folder}/d/b${more}`, "x");
    assert.notEqual(await look(), before);
  });

  it("a link is moved as a link, and is no file to read", async ({ store, folder, mask }) => {
    mask(`${folder}/masked`);
    await store.move(`${folder}/masked`, `${folder}/aside/masked`);
    const [from, to] = await store.fingerprints([`${folder}/masked`, `${folder}/aside/masked`]);
    assert.deepEqual([from, to?.kind, to?.target], [null, "link", "/dev/null"]);
    await assert.rejects(
      () => store.read(`${folder}/aside/masked`),
      (error) => error instanceof OperationError && error.code === "not-a-file",
    );
  });
}
