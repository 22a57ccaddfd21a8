import assert from "node:assert/strict";
import { test } from "node:test";
import { countingProgress } from "./counting-progress.ts";

class Disk {
  #reads = 0;
  readonly answers: PromiseWithResolvers<number>[] = [];

  read(step: number): Promise<number> {
    this.#reads += step;
    const answer = Promise.withResolvers<number>();
    this.answers.push(answer);
    return answer.promise;
  }

  reads(): number {
    return this.#reads;
  }
}

test("answers and refusals count, once they come, and both reach whoever asked", async () => {
  let progress = 0;
  const disk = new Disk();
  const counted = countingProgress(disk, () => progress++);
  const [good, bad] = [counted.read(2), counted.read(3)];
  await new Promise(setImmediate);
  assert.equal(progress, 0, "asking is no progress");
  disk.answers[0]!.resolve(7);
  assert.equal(await good, 7);
  assert.equal(progress, 1);
  disk.answers[1]!.reject(new Error("full"));
  await assert.rejects(bad, /full/);
  assert.equal(progress, 2);
  assert.equal(counted.reads(), 5);
  assert.equal(progress, 2, "what needs nobody's answer is no progress");
});
