/** The bytes are not an ExportLogsServiceRequest, or one beyond the bounds. */
export class DecodeError extends Error {
  /** It is a bound of the whole request that was reached. */
  readonly ofRequest: boolean;

  constructor(message: string, ofRequest = false) {
    super(message);
    this.name = 'DecodeError';
    this.ofRequest = ofRequest;
  }
}
