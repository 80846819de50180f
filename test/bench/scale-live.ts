import type { ServerResponse } from 'node:http';

interface Job {
  readonly metadata: {
    name: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
    annotations?: object;
  };
  readonly status: { startTime: string; completionTime: string; conditions: { lastTransitionTime: string }[] };
}

/** Later than every object of the population, which is made when it is read. */
const FIRST_VERSION = 9_500_000;

/** Jobs that come to be, already complete, while the bench looks; and the watches that show them. */
export class LiveJobs {
  /** JSON in the order of their versions. */
  readonly json: string[] = [];
  readonly #watches = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | undefined;

  /** Makes a number of them a second from now on, each from another one: a monitor takes few pings a minute. */
  begin(template: (number: number) => string, perSecond: number): void {
    this.#timer = setInterval(() => this.#make(template(this.json.length)), 1000 / perSecond);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  get version(): number {
    return FIRST_VERSION + this.json.length;
  }

  named(name: string): string | undefined {
    return this.json[Number(/^live-(\d+)$/.exec(name)?.[1] ?? NaN)];
  }

  /** What came after `from`, and all that comes until the client has enough. */
  watch(response: ServerResponse, from: number, seconds: number, onBytes: (bytes: number) => void): void {
    const write = response.write.bind(response);
    response.write = (chunk: string) => (onBytes(chunk.length), write(chunk));
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    for (const job of this.json.slice(Math.max(0, from - FIRST_VERSION))) response.write(event(job));
    this.#watches.add(response);
    const timer = setTimeout(() => response.end(), seconds * 1000);
    response.on('close', () => {
      clearTimeout(timer);
      this.#watches.delete(response);
    });
  }

  #make(template: string): void {
    const number = this.json.length;
    const job = JSON.parse(template) as Job;
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const uid = `eeeeeeee-0000-4000-8000-${String(number).padStart(12, '0')}`;
    const resourceVersion = String(this.version + 1);
    Object.assign(job.metadata, { name: `live-${number}`, uid, resourceVersion, creationTimestamp: now });
    delete job.metadata.annotations;
    Object.assign(job.status, { startTime: now, completionTime: now });
    for (const condition of job.status.conditions) condition.lastTransitionTime = now;
    const text = JSON.stringify(job);
    this.json.push(text);
    for (const response of this.#watches) response.write(event(text));
  }
}

function event(job: string): string {
  return `{"type":"ADDED","object":${job}}\n`;
}
