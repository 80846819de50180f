/** The bytes are no ExportLogsServiceRequest, or one beyond the bounds. */
export class DecodeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DecodeError';
  }
}
