/** Who may import what: DESIGN's "imports point inwards" as a table. The longest matching folder rules. */
export interface Room {
  readonly folder: string;
  /** Folders or files of src, beside the room itself. */
  readonly may: readonly string[];
  /** Packages and `node:` modules; `node:` alone means all of Node's. */
  readonly packages: readonly string[];
}

const DOMAIN = "src/domain";
const PORTS = "src/ports";
const CODEC = "src/codec";
const USECASES = "src/usecases";
const DAEMON = "src/daemon";
const ADAPTERS = "src/adapters";
const ADAPTER = [PORTS, CODEC, DOMAIN];
const ETCD_PROTO = "src/adapters/etcd-proto";
const OBJECTS_PROTO = "src/adapters/objects-proto";
const REACH_PROTO = "src/adapters/reach-proto";
const PROTO = "src/adapters/proto";
const MVCC = "src/adapters/mvcc";
const ETCD_WIRE = "src/adapters/etcd-wire";
/** Time, ids and hashes of the real world: single functions, so that an adapter that serves or stores may use them. */
const REAL_WORLD = ["src/adapters/system-clock.ts", "src/adapters/random-id.ts", "src/adapters/sha256.ts"];

/** What a full or broken disk is called, and how entries of a folder last. */
const DURABLE = ["src/adapters/files/disk-error.ts", "src/adapters/files/folder-sync.ts"];

export const ROOMS: readonly Room[] = [
  { folder: DOMAIN, may: [], packages: [] },
  { folder: PORTS, may: [DOMAIN], packages: [] },
  { folder: CODEC, may: [PORTS, DOMAIN], packages: [] },
  { folder: "src/codec/manifest", may: [CODEC, DOMAIN], packages: ["yaml", "zod"] },
  { folder: "src/codec/test-file", may: [CODEC, DOMAIN], packages: ["zod"] },
  { folder: "src/codec/plan", may: [CODEC, DOMAIN], packages: ["zod"] },
  { folder: "src/codec/api", may: [CODEC, DOMAIN], packages: ["zod"] },
  // What a signature is depends on its bytes and nothing else: arithmetic, as pure as a parser.
  { folder: "src/codec/signatures", may: [CODEC, DOMAIN], packages: ["node:crypto"] },
  { folder: USECASES, may: [PORTS, CODEC, DOMAIN], packages: [] },
  { folder: DAEMON, may: [USECASES, PORTS, CODEC, DOMAIN], packages: [] },
  { folder: "src/api", may: [DAEMON, USECASES, PORTS, CODEC, DOMAIN], packages: ["node:"] },
  { folder: ADAPTERS, may: ADAPTER, packages: ["node:"] },
  {
    folder: "src/adapters/git",
    may: [...ADAPTER, OBJECTS_PROTO, ...REAL_WORLD, ...DURABLE],
    packages: ["node:", "isomorphic-git", "@grpc/grpc-js"],
  },
  // How messages of fleet's own services are put into bytes.
  { folder: PROTO, may: [], packages: ["node:", "@grpc/grpc-js", "protobufjs/light.js"] },
  // Git objects between engines and machines: the client and the server of it share the messages.
  { folder: OBJECTS_PROTO, may: [PROTO], packages: ["node:", "protobufjs/light.js"] },
  { folder: "src/adapters/identity", may: [...ADAPTER, "src/adapters/files/disk-error.ts"], packages: ["node:"] },
  // The one place that has keys and values of secrets in hand.
  {
    folder: "src/adapters/secrets",
    may: [...ADAPTER, "src/adapters/files/disk-error.ts"],
    packages: ["node:", "age-encryption", "@noble/curves/ed25519.js"],
  },
  // What machines that join and engines say to each other; both ends of it.
  { folder: "src/adapters/join-proto", may: [], packages: ["node:", "@grpc/grpc-js"] },
  {
    folder: "src/adapters/join",
    may: [...ADAPTER, "src/adapters/join-proto", "src/adapters/identity"],
    packages: ["node:", "@grpc/grpc-js"],
  },
  // What terminals ask of machines through engines: the three of them share the messages.
  {
    folder: REACH_PROTO,
    may: ["src/ports/operation-error.ts", PROTO],
    packages: ["node:", "@grpc/grpc-js", "protobufjs/light.js"],
  },
  { folder: "src/adapters/reach", may: [...ADAPTER, REACH_PROTO], packages: ["node:", "@grpc/grpc-js"] },
  { folder: "src/adapters/dns", may: ADAPTER, packages: ["node:", "dns-packet"] },
  { folder: "src/adapters/systemd", may: ADAPTER, packages: ["node:", "dbus-next"] },
  // By its parts: the whole of it is five times as large.
  {
    folder: "src/adapters/metrics",
    may: ADAPTER,
    packages: [
      // Its types.
      "prom-client",
      ...["counter", "gauge", "histogram", "registry"].map((part) => `prom-client/lib/${part}.js`),
    ],
  },
  { folder: MVCC, may: ADAPTER, packages: [] },
  // In-memory twins are pure: no Node at all, so that the simulator owns time and order.
  { folder: "src/adapters/memory", may: ADAPTER, packages: [] },
  // etcd's wire format, and nothing else: the client and the server of it share the messages.
  { folder: ETCD_PROTO, may: [], packages: ["node:", "@grpc/grpc-js", "protobufjs", "protobufjs/light.js", "long"] },
  { folder: "src/adapters/etcd", may: [...ADAPTER, ETCD_PROTO], packages: ["node:", "@grpc/grpc-js"] },
  // What every server of it answers by, whatever stands behind it.
  { folder: ETCD_WIRE, may: [...ADAPTER, ETCD_PROTO, MVCC], packages: ["node:", "@grpc/grpc-js"] },
  // The embedded registry is the model of etcd, persisted and served over etcd's wire format.
  {
    folder: "src/adapters/embedded",
    may: [...ADAPTER, ETCD_PROTO, ETCD_WIRE, MVCC, ...REAL_WORLD],
    packages: ["node:", "@grpc/grpc-js"],
  },
  // What an engine serves to machines: the registry it has, behind a scope and a mirror kept in the same model.
  {
    folder: "src/adapters/front",
    may: [
      ...ADAPTER,
      ETCD_PROTO,
      ETCD_WIRE,
      OBJECTS_PROTO,
      REACH_PROTO,
      MVCC,
      "src/adapters/identity",
      // TLS as a stream that Node's HTTP/2 bears.
      "src/adapters/join/plain-stream.ts",
      ...REAL_WORLD,
    ],
    packages: ["node:", "@grpc/grpc-js"],
  },
  // Those who choose adapters.
  { folder: "src/lab", may: [ADAPTERS, PORTS, DOMAIN], packages: ["node:"] },
  { folder: "src/sim", may: [ADAPTERS, DAEMON, USECASES, PORTS, CODEC, DOMAIN], packages: ["node:"] },
  { folder: "src/cli", may: ["src"], packages: ["node:", "@oclif/core", "diff"] },
  { folder: "src/action", may: ["src"], packages: ["node:"] },
];

/** The only places that read the environment: the composition roots, and the lab, which passes PATH on to what it starts. */
export const ENVIRONMENT_READERS = ["src/cli/", "src/action/", "src/lab/"];

/** What a decider must not know of: time, chance, the process, waiting. As code, after comments are gone. */
export const BANNED_FROM_DOMAIN: Readonly<Record<string, RegExp>> = {
  "the clock": /\bnew Date\b|\bDate\.|\bperformance\./,
  chance: /\bMath\.random\b|\brandomUUID\b|\bcrypto\./,
  "the process": /\bprocess\./,
  waiting:
    /\basync\s+(function|\(|[A-Za-z#_]+\s*(\(|=>))|\bawait\s|\bPromise\b|\bset(Timeout|Interval|Immediate)\(|queueMicrotask/,
  output: /\bconsole\./,
  "the outside": /"node:|\bimport\(|\brequire\(|\bfetch\(|\bglobalThis\b/,
  "module state": /^let /m,
};
