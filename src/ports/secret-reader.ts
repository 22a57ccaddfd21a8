/** Reads secrets by what this machine is. */
export interface SecretReader {
  /**
   * The value of a secret as the repository has it. Rejects with OperationError `secret-unreadable` where it is for others or damaged, or this
   * machine has no key; what it says holds nothing of the value.
   */
  read(text: string): Promise<Uint8Array>;
}
