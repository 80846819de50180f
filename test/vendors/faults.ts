import { z } from 'zod';

/** One fault: what the next matching requests suffer instead of, or after, being processed. */
export const faultSchema = z.strictObject({
  /** Part of `METHOD /path?query`, or several that it must have; default every request. */
  match: z.union([z.string(), z.array(z.string())]).default(''),
  /** How many requests; default one. */
  times: z.union([z.int().positive(), z.literal(Infinity)]).default(1),
  /** Answers with this status instead of processing. */
  status: z.int().min(100).max(599).optional(),
  body: z.string().optional(),
  /** Retry-After of the answer: seconds or a date. */
  retryAfter: z.union([z.number(), z.string()]).optional(),
  /** Answers this much later. */
  delayMs: z.number().nonnegative().optional(),
  /** Closes the connection instead of processing. */
  reset: z.boolean().optional(),
  /** Processes the request, then closes the connection: the answer is lost. */
  resetAfterProcessing: z.boolean().optional(),
});

export type Fault = z.input<typeof faultSchema>;
export type ActiveFault = z.output<typeof faultSchema>;

/** Faults in the order of injection; the first that matches a request is used up by it. */
export class Faults {
  private faults: ActiveFault[] = [];

  inject(fault: Fault): void {
    this.faults.push(faultSchema.parse(fault));
  }

  clear(): void {
    this.faults = [];
  }

  take(request: string): ActiveFault | undefined {
    const index = this.faults.findIndex(({ match }) => [match].flat().every((part) => request.includes(part)));
    const fault = this.faults[index];
    if (fault === undefined) return undefined;
    this.faults[index] = { ...fault, times: fault.times - 1 };
    if (fault.times === 1) this.faults.splice(index, 1);
    return fault;
  }
}
