/**
 * Writes `src/adapters/etcd-proto/etcd.descriptor.json` from the proto files the package `etcd3` carries, cut down to the
 * calls we make and serve: parsing the text at start-up would cost each process about 40 ms.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";

/** Everything these messages mention is kept; services are declared in etcd-services.ts. */
const KEPT_MESSAGES = [
  ...["Range", "Put", "DeleteRange", "Txn", "Compaction"],
  "Watch",
  ...["LeaseGrant", "LeaseRevoke", "LeaseKeepAlive", "LeaseTimeToLive", "LeaseLeases"],
  ...["Status", "Alarm", "MemberList"],
].flatMap((name) => [`etcdserverpb.${name}Request`, `etcdserverpb.${name}Response`]);

const root = new protobuf.Root();
root.loadSync(fileURLToPath(import.meta.resolve("etcd3/proto/rpc.proto")), { keepCase: true });
root.resolveAll();

const kept = new Set<protobuf.ReflectionObject>();
for (const name of KEPT_MESSAGES) keep(root.lookupType(name));
for (const packageName of ["etcdserverpb", "mvccpb", "authpb"]) prune(root.lookup(packageName) as protobuf.Namespace);
root.remove(root.lookup("authpb")!);

const target = fileURLToPath(new URL("../src/adapters/etcd-proto/etcd.descriptor.json", import.meta.url));
writeFileSync(target, `${JSON.stringify(root.toJSON())}\n`);

function keep(type: protobuf.Type): void {
  if (kept.has(type)) return;
  kept.add(type);
  for (const field of type.fieldsArray) {
    if (field.resolvedType instanceof protobuf.Type) keep(field.resolvedType);
    else if (field.resolvedType !== null) kept.add(field.resolvedType);
  }
}

function prune(space: protobuf.Namespace): void {
  for (const entry of [...space.nestedArray]) if (!kept.has(entry)) space.remove(entry);
}
