/**
 * Options of old fleet's fleet.conf that mean nothing here, and what to do with what they were for. A file that was written for it is taken as
 * it is; `fleet config check` names them.
 */
export const OLD_FLEET_OPTIONS: Readonly<Record<string, string>> = {
  verbosity: "what is worth knowing is in the journal, by priority: journalctl -u fleet-agent -p debug",
  etcd_username: "etcd knows machines by their certificates: etcd_certfile, etcd_keyfile (docs/etcd.md)",
  etcd_password: "etcd knows machines by their certificates: etcd_certfile, etcd_keyfile (docs/etcd.md)",
  etcd_key_prefix: "each cluster has a prefix of its own, /fleet/NAME/",
  etcd_request_timeout: "each call has a deadline that fits the leases",
  engine_reconcile_interval: "engines act when something changes, and look at all of it every few seconds",
  units_directory: "units are in /run/systemd/system, where systemd looks for them",
  systemd_user: "units of users are not run",
  token_limit: "there are no pages to limit",
  enable_grpc: "there is no older protocol to leave",
  disable_engine: "leave fleet-engine.service disabled",
  disable_watches: "watches that lose nothing need not be turned off",
  verify_units: "who may sign is in the manifest: trust: (docs/trust.md)",
  authorized_keys_file: "who may sign is in the manifest: trust: (docs/trust.md)",
};
