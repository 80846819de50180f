/** The sum of all series of a metric (`name{` or `name{label="…"`) in the Prometheus text at `url`; 0 if there is none. */
export async function readMetric(url: string, start: string): Promise<number> {
  // A connection that was kept since the last reading may end just now.
  const answer = await fetch(url, { headers: { connection: 'close' } });
  const lines = (await answer.text()).split('\n');
  return lines.filter((line) => line.startsWith(start)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
