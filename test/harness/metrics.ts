/** The sum of all series of a metric (`name{` or `name{label="…"`) in a Prometheus text; 0 if there is none. */
export function metricIn(text: string, start: string): number {
  const lines = text.split('\n');
  return lines.filter((line) => line.startsWith(start)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** The same of the text at `url`. */
export async function readMetric(url: string, start: string): Promise<number> {
  // A connection that was kept since the last reading may end just now.
  const answer = await fetch(url, { headers: { connection: 'close' } });
  return metricIn(await answer.text(), start);
}
