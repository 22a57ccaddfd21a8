import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId } from "../names.ts";
import { DEFAULT_DAMPING, type LossThresholds } from "./damping.ts";
import { judgeLoss } from "./judge-loss.ts";
import { type LossHistory, NO_HISTORY } from "./loss-history.ts";
import type { LossVerdict } from "./loss-verdict.ts";

const DEFAULTS: LossThresholds = { agentTtlMs: 30_000, graceMs: 60_000, ...DEFAULT_DAMPING };

interface Story {
  readonly says: string;
  /** One letter a machine; each has ten units that would move. */
  readonly cluster?: string;
  /** Units on each machine that would move; by their grace in milliseconds. */
  readonly stakes?: Readonly<Record<string, ReadonlyMap<number, number>>>;
  readonly units?: number;
  readonly drained?: string;
  /** In seconds; always where not given. */
  readonly drainedFrom?: number;
  readonly away?: readonly [fromS: number, untilS: number];
  readonly policy?: Partial<LossThresholds>;
  /** `seconds:who`, each with who is there. What is expected is of the last. */
  readonly looks: string;
  /** The mode where it is not normal, who is lost, and what each other missing one waits for. */
  readonly expected: string;
}

/** Five of them are there for long, so that the hold after the election is over. */
const TEN = "abcdefghij";

const STORIES: readonly Story[] = [
  { says: "a machine that is there is well", cluster: "ab", looks: "0:ab 1000:ab", expected: "" },
  {
    says: "silence shorter than the grace is absence",
    cluster: "ab",
    looks: "0:ab 200:a 259.999:a",
    expected: "b: grace until 260",
  },
  { says: "silence of the grace is loss", cluster: "ab", looks: "0:ab 200:a 260:a", expected: "b: lost" },
  {
    says: "a machine that showed itself starts anew",
    cluster: "ab",
    looks: "0:ab 200:a 250:ab 251:a 310.999:a",
    expected: "b: grace until 311",
  },
  {
    says: "a lost machine that returns is there, and nothing is left of the loss but what it cost",
    cluster: "ab",
    looks: "0:ab 200:a 260:a 261:ab",
    expected: "",
  },

  // The hold.
  {
    says: "a new judge holds for one lease and the grace",
    cluster: "ab",
    looks: "0:a 89.999:a",
    expected: "b: hold elected until 90",
  },
  { says: "after that, it believes its eyes", cluster: "ab", looks: "0:a 90:a", expected: "b: lost" },
  {
    says: "a registry that was away for a third of a lease is held against nobody",
    cluster: "ab",
    looks: "0:ab 200:ab 210:a 299.999:a",
    away: [200, 210],
    expected: "b: hold registry until 300",
  },
  {
    says: "and they are lost if they have not shown themselves a lease and the grace later",
    cluster: "ab",
    looks: "0:ab 200:ab 210:a 300:a",
    away: [200, 210],
    expected: "b: lost",
  },
  {
    says: "a listing that took a moment has cost nobody a lease",
    cluster: "ab",
    looks: "0:ab 200:ab 209.999:a 269.999:a",
    away: [200, 209.999],
    expected: "b: lost",
  },
  {
    says: "a lost machine is no longer taken for lost while its registry is not believed",
    cluster: "abc",
    looks: "0:abc 200:ab 260:ab 320:ab",
    away: [300, 320],
    expected: "c: hold registry until 410",
  },

  // Outages.
  {
    says: "one of two is no outage, although it is half",
    cluster: "ab",
    looks: "0:ab 200:a 260:a",
    expected: "b: lost",
  },
  {
    says: "one of three is no outage, although it is a third",
    cluster: "abc",
    looks: "0:abc 200:ab 260:ab",
    expected: "c: lost",
  },
  {
    says: "two of three are one",
    cluster: "abc",
    looks: "0:abc 200:a 5000:a",
    expected: "partial-outage since 200, ends at 1 of 3; b: outage, c: outage",
  },
  {
    says: "three of ten are 30 %, and an outage",
    cluster: TEN,
    looks: `0:${TEN} 200:abcdefg 5000:abcdefg`,
    expected: "partial-outage since 200, ends at 2 of 10; h: outage, i: outage, j: outage",
  },
  {
    says: "two of seven are 28.6 %, and none",
    cluster: "abcdefg",
    looks: "0:abcdefg 200:abcde 260:abcde",
    expected: "f: lost, g: units until 560",
  },
  {
    says: "with a threshold of 28 % two of seven are one",
    cluster: "abcdefg",
    policy: { outageAtPercent: 28 },
    looks: "0:abcdefg 200:abcde 260:abcde",
    expected: "partial-outage since 200, ends at 1 of 7; f: outage, g: outage",
  },
  {
    says: "two that go within the window are one",
    cluster: "abcd",
    looks: "0:abcd 200:abc 319.999:ab",
    expected: "partial-outage since 319.999, ends at 1 of 4; c: outage, d: outage",
  },
  {
    says: "two that go a window apart are none",
    cluster: "abcd",
    looks: "0:abcd 200:abc 260:abc 320:ab",
    expected: "c: grace until 380, d: lost",
  },
  {
    says: "an outage does not end by lasting long",
    cluster: "abcd",
    looks: "0:abcd 200:ab 90000:ab",
    expected: "partial-outage since 200, ends at 1 of 4; c: outage, d: outage",
  },
  {
    says: "who goes in it, however late, belongs to it",
    cluster: TEN,
    looks: `0:${TEN} 200:abcdefg 5000:abcdef`,
    expected: "partial-outage since 200, ends at 2 of 10; g: outage, h: outage, i: outage, j: outage",
  },
  {
    says: "it goes on while too few are back",
    cluster: TEN,
    looks: `0:${TEN} 200:abcdef 900:abcdefg`,
    expected: "partial-outage since 200, ends at 2 of 10; h: outage, i: outage, j: outage",
  },
  {
    says: "when enough are back it ends, and the others have a lease and the grace to follow",
    cluster: TEN,
    looks: `0:${TEN} 200:abcdef 900:abcdefgh 989.999:abcdefgh`,
    expected: "i: hold outage until 990, j: hold outage until 990",
  },
  {
    says: "who has not followed by then is lost, in turn",
    cluster: TEN,
    looks: `0:${TEN} 200:abcdef 900:abcdefgh 990:abcdefgh`,
    expected: "i: lost, j: units until 1290",
  },
  {
    says: "nobody is lost in an outage, not even who was before",
    cluster: "abcd",
    looks: "0:abcd 200:abc 260:abc 261:ab",
    expected: "partial-outage since 261, ends at 1 of 4; c: outage, d: outage",
  },
  {
    says: "drained machines were to go: they are no outage, and no part of the whole",
    cluster: "abcdef",
    drained: "ef",
    looks: "0:abcdef 200:abcd 201:abc 202:abc",
    expected: "d: grace until 261, e: grace until 260, f: grace until 260",
  },
  {
    says: "machines that were away when the judge began count while they have something to move",
    cluster: "abcd",
    looks: "0:ab 5000:ab",
    expected: "partial-outage since 0, ends at 1 of 4; c: outage, d: outage",
  },
  {
    says: "and not once they have nothing: somebody has dealt with their loss",
    cluster: "abcde",
    stakes: { d: new Map(), e: new Map() },
    looks: "0:abc 90:abc",
    expected: "d: lost, e: lost",
  },
  {
    says: "in the midst of one a commit that drains them ends it",
    cluster: "abcd",
    drained: "cd",
    drainedFrom: 900,
    looks: "0:abcd 200:ab 800:ab 900:ab 989.999:ab",
    expected: "c: hold outage until 990, d: hold outage until 990",
  },
  {
    says: "and they are lost, in turn",
    cluster: "abcd",
    drained: "cd",
    drainedFrom: 900,
    looks: "0:abcd 200:ab 800:ab 900:ab 990:ab",
    expected: "c: lost, d: units until 1290",
  },

  // Nobody there.
  {
    says: "where nobody is there, nobody is lost, however long",
    cluster: "ab",
    looks: "0:ab 200: 90000:",
    expected: "full-outage since 200, ends at 1 of 2; a: outage, b: outage",
  },
  {
    says: "the first to return does not make the others lost",
    cluster: "ab",
    looks: "0:ab 200: 2000: 2001:a 2090.999:a",
    expected: "b: hold outage until 2091",
  },
  {
    says: "they are lost when they stay away after it",
    cluster: "ab",
    looks: "0:ab 200: 2000: 2001:a 2091:a",
    expected: "b: lost",
  },
  {
    says: "of many, the first to return leaves a partial one",
    cluster: "abcd",
    looks: "0:abcd 200: 2000:a 9000:a",
    expected: "partial-outage since 200, ends at 1 of 4; b: outage, c: outage, d: outage",
  },

  // Turns.
  {
    says: "what one machine had moves as one batch, also where it is more than the budget",
    cluster: "abcd",
    looks: "0:abcd 200:abc 260:abc",
    expected: "d: lost",
  },
  {
    says: "the next machine waits for its window, where there is room for its units",
    cluster: TEN,
    units: 1000,
    looks: `0:${TEN} 200:abcdefgh 260:abcdefgh 269.999:abcdefgh`,
    expected: "i: lost, j: machine until 270",
  },
  {
    says: "and has its turn when the window is over",
    cluster: TEN,
    units: 1000,
    looks: `0:${TEN} 200:abcdefgh 260:abcdefgh 270:abcdefgh`,
    expected: "i: lost, j: lost",
  },
  {
    says: "twenty units of two hundred are 10 %",
    cluster: TEN,
    units: 200,
    looks: `0:${TEN} 200:abcdefgh 260:abcdefgh 270:abcdefgh`,
    expected: "i: lost, j: lost",
  },
  {
    says: "of a hundred and ninety they are more, and the second machine waits until the first is forgotten",
    cluster: TEN,
    units: 190,
    looks: `0:${TEN} 200:abcdefgh 260:abcdefgh 559.999:abcdefgh`,
    expected: "i: lost, j: units until 560",
  },
  {
    says: "that comes, too",
    cluster: TEN,
    units: 190,
    looks: `0:${TEN} 200:abcdefgh 260:abcdefgh 560:abcdefgh`,
    expected: "i: lost, j: lost",
  },
  {
    says: "whoever has been silent for longest comes first, and nobody small overtakes",
    cluster: TEN,
    units: 100,
    stakes: { b: new Map([[60_000, 1]]) },
    looks: `0:${TEN} 200:abcdefgij 330:abdefgij 460:adefgij 600:adefgij`,
    expected: "b: units until 930, c: units until 630, h: lost",
  },
  {
    says: "a machine with nothing to move needs no turn",
    cluster: TEN,
    stakes: { j: new Map() },
    looks: `0:${TEN} 200:abcdefgh 260:abcdefgh`,
    expected: "i: lost, j: lost",
  },
  {
    says: "a machine that was back is another loss, and costs again",
    cluster: TEN,
    looks: `0:${TEN} 200:abcdefghi 260:abcdefghi 270:${TEN} 280:abcdefghi 340:abcdefghi`,
    expected: "j: units until 560",
  },

  // Graces of units.
  {
    says: "a unit with a shorter grace goes first",
    stakes: {
      b: new Map([
        [60_000, 10],
        [15_000, 1],
      ]),
    },
    looks: "0:ab 200:a 215:a",
    expected: "b: lost, own 15",
  },
  {
    says: "not before it is over",
    stakes: {
      b: new Map([
        [60_000, 10],
        [15_000, 1],
      ]),
    },
    looks: "0:ab 200:a 214.999:a",
    expected: "b: grace until 215",
  },
  {
    says: "the others follow in the same batch, after the cluster's",
    stakes: {
      b: new Map([
        [60_000, 10],
        [15_000, 1],
      ]),
    },
    looks: "0:ab 200:a 215:a 260:a",
    expected: "b: lost",
  },
  {
    says: "one with a longer grace stays behind",
    stakes: {
      b: new Map([
        [60_000, 10],
        [600_000, 1],
      ]),
    },
    looks: "0:ab 200:a 260:a 799.999:a",
    expected: "b: lost",
  },
  {
    says: "until it is over, too",
    stakes: {
      b: new Map([
        [60_000, 10],
        [600_000, 1],
      ]),
    },
    looks: "0:ab 200:a 260:a 800:a",
    expected: "b: lost, own 600",
  },
];

for (const story of STORIES) test(story.says, () => assert.equal(shown(tell(story)), story.expected));

function tell(story: Story): LossVerdict {
  const thresholds = { ...DEFAULTS, ...story.policy };
  const machines = [...(story.cluster ?? "ab")];
  let history: LossHistory = NO_HISTORY;
  let verdict: LossVerdict | null = null;
  for (const look of story.looks.split(" ")) {
    const [seconds = "", there = ""] = look.split(":");
    const nowMs = Math.round(Number(seconds) * 1000);
    const sightings = {
      machines: machines.map((machine) => ({
        machine: machine as MachineId,
        present: there.includes(machine),
        drained: (story.drained ?? "").includes(machine) && nowMs >= (story.drainedFrom ?? 0) * 1000,
        stakes: story.stakes?.[machine] ?? new Map([[60_000, 10]]),
      })),
      units: story.units ?? machines.length * 10,
    };
    const isOver = story.away !== undefined && story.away[1] * 1000 <= nowMs;
    const registryAway = isOver ? { fromMs: story.away[0] * 1000, untilMs: story.away[1] * 1000 } : null;
    verdict = judgeLoss(history, { sightings, registryAway, nowMs }, thresholds);
    history = verdict.history;
  }
  return verdict!;
}

function shown({ mode, outage, machines }: LossVerdict): string {
  const head =
    outage === null ? "" : `${mode} since ${outage.sinceMs / 1000}, ends at ${outage.endsAt} of ${outage.of}; `;
  const parts = [...machines].map(([machine, { presence, waits, graces }]) => {
    const { ownMs = 0, cluster = false } = graces ?? {};
    const own = ownMs === (cluster ? DEFAULTS.graceMs : 0) ? "" : `, own ${ownMs / 1000}`;
    if (presence === "lost") return `${machine}: lost${own}`;
    if (waits === null) return `${machine}: ${presence}`;
    if (waits.code === "outage") return `${machine}: outage`;
    const code = waits.code === "budget" ? waits.because : waits.code;
    return `${machine}: ${code}${waits.code === "hold" ? ` ${waits.because}` : ""} until ${waits.untilMs / 1000}`;
  });
  return head + parts.join(", ");
}
