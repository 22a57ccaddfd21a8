/** fleet's own services and what starts at boot, as an administrator would arrange it. Rejects with OperationError (`systemctl-failed`). */
export interface ServiceControl {
  /** Those of these services that are installed, in the order asked for. */
  installed(services: readonly string[]): Promise<readonly string[]>;
  /** Also at each boot from now on. What runs already runs on, or with `anew` is started anew, with its present configuration. */
  enableAndStart(services: readonly string[], anew: boolean): Promise<void>;
  /** Also not at a boot any more; returns once they are down. What is not installed is passed over. */
  disableAndStop(services: readonly string[]): Promise<void>;
  /** Stops what runs under names like this (`fleet-lease@*.service`); nothing does is no error. */
  stopLike(pattern: string): Promise<void>;
  /** Has a target want units at boot, whatever their [Install] says. systemd reads its files again. */
  wantAtBoot(target: string, units: readonly string[]): Promise<void>;
}
