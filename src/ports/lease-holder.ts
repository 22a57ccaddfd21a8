/**
 * What ends the units that run at most once when this machine is cut off, whether or not the agent is there by then. It learns of each
 * acknowledged renewal of the machine's lease, and from then on counts by itself.
 */
export interface LeaseHolder {
  /**
   * A renewal that was sent at that moment of the agent's monotonic clock was acknowledged. Rejects with OperationError where it cannot
   * be told: then the units end, as if there had been none.
   */
  renewed(sentMs: number): Promise<void>;
}
