import { z } from "zod";
import { CONFIRM_FORM, parseConfirm } from "../../domain/confirm/confirm-policy.ts";
import { NODE_KEY_FORM, NODE_KEY_PATTERN } from "../../domain/identity/node-key.ts";
import { LINT_RULE_NAMES, type LintRule } from "../../domain/lint/lint-rules.ts";
import { NOTIFY_EVENTS, NOTIFY_RULES_MAX } from "../../domain/notify/notify-policy.ts";
import { CANARY_FORM, parseCanary } from "../../domain/rollout/canary-setting.ts";
import {
  isSecretName,
  SECRET_MODE_FORM,
  SECRET_MODE_PATTERN,
  SECRET_NAME_FORM,
} from "../../domain/secret/secret-name.ts";
import { DELIVERED_FILES_MAX } from "../../domain/spec/delivered-file.ts";
import {
  ACCOUNT_FORM,
  ACCOUNT_PATTERN,
  deliveredPathProblem,
  FILE_MODE_FORM,
  FILE_MODE_PATTERN,
} from "../../domain/spec/delivered-path.ts";
import { INSTANCES_MAX } from "../../domain/spec/manifest.ts";
import { RESTARTED_AFTER_FORM, RESTARTED_AFTER_PATTERN } from "../../domain/spec/restart-dropin.ts";
import { DRIVERS } from "../../domain/sync/driver-policy.ts";
import { FORGE_KEYS } from "../../domain/trust/commit-signature.ts";
import { TRUST_MODES } from "../../domain/trust/trust-policy.ts";
import { ON_DISCONNECT_FORM, parseOnDisconnect } from "../../domain/unit/on-disconnect.ts";
import { parseReplace, REPLACE_FORM } from "../../domain/unit/replace-option.ts";
import { parseVersionRange, VERSION_RANGE_FORM, VERSION_RANGE_PATTERN } from "../../domain/version/version-range.ts";
import type { LOSS_KEYS } from "./loss-keys.ts";
import { count, duration, flag, mapping, matching, scalar, shortList, sourceText, word } from "./schema-leaves.ts";

/**
 * The shape of `fleet.yaml`, over trees whose scalars are their source text. The one description: values are checked by it
 * and `schemas/fleet.schema.json` is printed from it. A leaf's message says what it expects.
 */

const repositoryPath = matching("a path in the repository, with /", /^[^\0\\]{1,1024}$/);

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: "the name of a variable: letters, digits and _, not beginning with a digit",
});

const metadataKey = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/, {
  error: "a metadata key of 1 to 63 letters, digits, dots, slashes, _ and -",
});

const instances = z.union(
  [
    z.array(sourceText, { error: "names" }).min(1, { error: "names" }).max(INSTANCES_MAX, { error: "names" }),
    count(1, INSTANCES_MAX),
  ],
  {
    error: `a whole number from 1 to ${INSTANCES_MAX}, or a list of 1 to ${INSTANCES_MAX} instance names`,
  },
);

const rollout = z.strictObject(
  {
    maxUnavailable: count(1, 20_000).optional(),
    minHealthyTime: duration().optional(),
    healthDeadline: duration(1000).optional(),
    maxParallel: count(1, 20_000).optional(),
    onFailure: word(["hold", "rollback"]).optional(),
    canary: scalar(CANARY_FORM, (text) => parseCanary(text) !== undefined, { type: ["integer", "string"] }).optional(),
    bake: duration().optional(),
  },
  mapping("a mapping of rollout settings"),
);

const FILES_FORM = `a list of at most ${DELIVERED_FILES_MAX} files`;

const account = () =>
  scalar(ACCOUNT_FORM, (text) => ACCOUNT_PATTERN.test(text), { type: ["string", "integer"] }).optional();

const declaredFile = z.strictObject(
  {
    path: scalar(
      "a path below the unit's own folder, of letters, digits and . _ @ + ~ -",
      (text) => deliveredPathProblem(text) === null,
      { type: "string" },
    ),
    from: repositoryPath.optional(),
    mode: matching(FILE_MODE_FORM, FILE_MODE_PATTERN).optional(),
    owner: account(),
    group: account(),
  },
  mapping('a mapping such as { path: pg.conf, owner: postgres, mode: "0640" }'),
);

const SECRETS_FORM = `a list of at most ${DELIVERED_FILES_MAX} secrets`;

const declaredSecret = z.strictObject(
  {
    name: scalar(`the name of a secret: ${SECRET_NAME_FORM}`, isSecretName, { type: "string" }),
    mode: matching(SECRET_MODE_FORM, SECRET_MODE_PATTERN).optional(),
    owner: account(),
    group: account(),
  },
  mapping('a mapping such as { name: db-password, owner: "999", mode: "0400" }'),
);

const unitSettings = z.strictObject(
  {
    state: word(["launched", "loaded", "inactive"]).optional(),
    instances: instances.optional(),
    environment: z.record(variableName, sourceText, mapping("a mapping of names to texts")).optional(),
    rollout: rollout.optional(),
    move: word(["auto", "never"]).optional(),
    group: word(["auto", "none"]).optional(),
    drift: word(["correct", "detect", "off"]).optional(),
    confirm: scalar(CONFIRM_FORM, (text) => parseConfirm(text) !== null, {
      type: "string",
      pattern: "^(off|[1-9][0-9]*(ms|s|m|h))$",
    }).optional(),
    onDisconnect: scalar(ON_DISCONNECT_FORM, (text) => parseOnDisconnect(text) !== null, {
      type: "string",
      pattern: "^(keep|stop-after=[1-9][0-9]*(ms|s|m|h))$",
    }).optional(),
    replace: scalar(REPLACE_FORM, (text) => parseReplace(text) !== null, {
      type: "string",
      pattern: "^(yes|no|after=(0|[1-9][0-9]*)(ms|s|m|h))$",
    }).optional(),
    adopt: flag().optional(),
    files: z.array(declaredFile, { error: FILES_FORM }).max(DELIVERED_FILES_MAX, { error: FILES_FORM }).optional(),
    secrets: z
      .array(declaredSecret, { error: SECRETS_FORM })
      .max(DELIVERED_FILES_MAX, { error: SECRETS_FORM })
      .optional(),
    restartedAfter: matching(RESTARTED_AFTER_FORM, RESTARTED_AFTER_PATTERN).optional(),
  },
  mapping("a mapping of unit settings"),
);

const percent = matching("a whole percentage from 1% to 100%", /^([1-9][0-9]?|100)%$/);

/** Each is explained where its default is: `src/domain/loss/damping.ts`. */
export const lossSchema = z.strictObject(
  {
    agentTtl: duration(2000).optional(),
    grace: duration().optional(),
    outageAt: percent.optional(),
    outageMin: count(1, 20_000).optional(),
    outageWindow: duration(1000).optional(),
    lossWindow: duration().optional(),
    movesAt: percent.optional(),
    movesWindow: duration().optional(),
    flapAt: count(2, 1000).optional(),
    flapWindow: duration(1000).optional(),
    flapHold: duration(1000).optional(),
    flapHoldMax: duration(1000).optional(),
  } satisfies Readonly<Record<keyof typeof LOSS_KEYS, z.ZodType>>,
  mapping("a mapping of thresholds such as { agentTtl: 30s, grace: 60s }"),
);

const level = word(["off", "warn", "error"]).optional();

const lint = z.strictObject(
  Object.fromEntries(LINT_RULE_NAMES.map((rule) => [rule, level])) as Record<LintRule, typeof level>,
  mapping("a mapping of rules to off, warn or error"),
);

const nodeKey = matching(NODE_KEY_FORM, NODE_KEY_PATTERN);

const machine = z.strictObject(
  {
    id: matching("the full machine id: 32 lower-case hexadecimal digits", /^[0-9a-f]{32}$/).optional(),
    key: nodeKey.optional(),
    engineKey: nodeKey.optional(),
    metadata: z.record(metadataKey, sourceText, mapping("a mapping of keys to texts")).optional(),
    drain: flag().optional(),
    cordon: flag().optional(),
    dropins: z
      .record(
        z.string(),
        z.array(repositoryPath, { error: "a list of drop-in files" }),
        mapping("a mapping of unit names to lists of drop-in files"),
      )
      .optional(),
    paths: z
      .array(repositoryPath, { error: "a list of at most 100 folders" })
      .max(100, { error: "a list of at most 100 folders" })
      .optional(),
  },
  mapping("a mapping such as { id: …, metadata: { role: storage } }"),
);

const ring = z.strictObject(
  { match: sourceText, soak: duration().optional(), window: sourceText.optional() },
  mapping('a mapping such as { match: "ring=early", soak: 24h, window: "Mon..Thu 02:00-04:00" }'),
);

/** More steps than a commit could take in a working week; a cluster has a handful. */
const RINGS_MAX = 20;
const RINGS_FORM = `a list of 1 to ${RINGS_MAX} rings`;

const reboots = z.strictObject(
  { slots: count(1, 1000).optional(), window: sourceText.optional(), drain: flag().optional() },
  mapping('a mapping such as { slots: 1, window: "Sat,Sun 01:00-05:00", drain: true }'),
);

const trust = z.strictObject(
  {
    mode: word(TRUST_MODES).optional(),
    signers: repositoryPath.optional(),
    forgeKeys: shortList(word(FORGE_KEYS), "names of forge keys").optional(),
    rules: shortList(
      z.strictObject(
        {
          paths: shortList(repositoryPath, "patterns of paths"),
          signers: shortList(sourceText, "principals").optional(),
          count: count(1, 10).optional(),
        },
        mapping('a mapping such as { paths: ["clusters/prod/**"], signers: [ops], count: 2 }'),
      ),
      "rules",
    ).optional(),
  },
  mapping("a mapping such as { mode: range, signers: trust/allowed_signers }"),
);

/** A person's: 62 characters, or some 2,000 of one that is safe from quantum computers. */
const ageRecipient = matching(
  "a recipient of age: age1 and letters and digits, as age-keygen -y prints it",
  /^age1[02-9ac-hj-np-z]{58,4000}$/,
);

const notifyRule = z.strictObject(
  {
    on: shortList(word(NOTIFY_EVENTS), "events"),
    webhook: sourceText.optional(),
    command: sourceText.optional(),
  },
  mapping('a mapping such as { on: [failed, held], webhook: "https://…" }'),
);
const NOTIFY_FORM = `a list of 1 to ${NOTIFY_RULES_MAX} rules`;

export const manifestSchema = z.strictObject(
  {
    apiVersion: word(["fleet/v1"]),
    cluster: matching("a name of 1 to 63 of a-z, 0-9 and -", /^[a-z0-9-]{1,63}$/),
    requires: scalar(VERSION_RANGE_FORM, (text) => parseVersionRange(text) !== null, {
      type: "string",
      pattern: VERSION_RANGE_PATTERN.source,
    }).optional(),
    source: z
      .strictObject({ url: sourceText.optional(), branch: sourceText.optional() }, mapping("a mapping { url, branch }"))
      .optional(),
    release: z
      .strictObject(
        {
          by: word(DRIVERS).optional(),
          maxRestarts: count(0, 20_000).optional(),
          maxStops: count(0, 20_000).optional(),
        },
        mapping("a mapping such as { by: sync, maxRestarts: 10 }"),
      )
      .optional(),
    sync: z
      .strictObject(
        { interval: duration(1000).optional(), maxAge: duration(60_000).optional() },
        mapping("a mapping such as { interval: 60s }"),
      )
      .optional(),
    paths: z
      .array(repositoryPath, { error: "a list of 1 to 100 folders" })
      .min(1, { error: "a list of 1 to 100 folders" })
      .max(100, { error: "a list of 1 to 100 folders" })
      .optional(),
    defaults: unitSettings.optional(),
    units: z.record(z.string(), unitSettings, mapping("a mapping of unit names to settings")).optional(),
    machines: z.record(z.string(), machine, mapping("a mapping of machine names to settings")).optional(),
    admit: word(["listed", "any"]).optional(),
    loss: lossSchema.optional(),
    rings: z
      .array(ring, { error: RINGS_FORM })
      .min(1, { error: RINGS_FORM })
      .max(RINGS_MAX, { error: RINGS_FORM })
      .optional(),
    reboots: reboots.optional(),
    trust: trust.optional(),
    notify: z
      .array(notifyRule, { error: NOTIFY_FORM })
      .min(1, { error: NOTIFY_FORM })
      .max(NOTIFY_RULES_MAX, { error: NOTIFY_FORM })
      .optional(),
    status: z
      .strictObject(
        {
          forge: word(["github"]),
          tokenFile: matching("an absolute path on the engines' machines", /^\/[^\0-\x1f]{1,1023}$/),
        },
        mapping("a mapping such as { forge: github, tokenFile: /etc/fleet/forge-token }"),
      )
      .optional(),
    secrets: z
      .strictObject(
        { recipients: shortList(ageRecipient, "recipients of age") },
        mapping("a mapping such as { recipients: [age1…] }"),
      )
      .optional(),
    lint: lint.optional(),
  },
  mapping("a mapping with apiVersion and cluster"),
);

export type ManifestTree = z.infer<typeof manifestSchema>;
export type LossTree = z.infer<typeof lossSchema>;
export type UnitSettingsTree = z.infer<typeof unitSettings>;
export type MachineTree = z.infer<typeof machine>;
